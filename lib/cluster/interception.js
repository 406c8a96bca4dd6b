'use strict';

// In a worker whose program is unchanged: the program's servers listen by themselves, and what
// they get are the cluster's connections. net.Server asks `_getServer` of node:cluster for its
// handle; preload.js puts getServer() in its place.
//
//   server.listen() -> getServer() -> LISTEN -> the primary listens, or does so already
//   server._handle  <- a source    <- LISTENING
//
// A server that listens as `exclusive` and a UDP socket listen in this process alone.

const { isMainThread } = require('node:worker_threads');

const { closeInBackground } = require('../base/binding.js');
const { callSafely } = require('../base/callback.js');
const { UV_EADDRINUSE } = require('../base/constants.js');
const { Descriptor } = require('../fd/descriptor.js');
const { EVERY_LISTENER, LISTEN, NUMBER, UNLISTEN, kAsk, kAttend, kMakeSource, kTell } = require('./marks.js');
const { NodesSource } = require('./sources.js');

// Milliseconds that a connection waits for the program to listen at its address: another worker,
// which had come further, has asked the primary to listen there.
const PATIENCE = 10_000;

const FIRST = { index: 0, free() {} };

class Interception {
  #worker;
  #onClosed = null; // Set once the cluster's connections come to this object.
  #sources = new Map(); // By the number of the listener.
  #general = []; // Sources for the connections of every listener; the first has them.
  #servers = new Set(); // Those that are open, or have connections still.
  #exclusive = new Set(); // Those of them that listen in this process alone.
  #anyPort = new Map(); // By address: the numbers of the servers that listen there at any port.
  #held = new Map(); // Connections for which there is no server yet, and when they are given up.
  #left = []; // Listeners whose server the program has closed, of which the primary does not know.
  #count = null; // Counts requests: see countRequests().
  #counting = new WeakSet(); // Sources that do that themselves.
  #stopping = []; // Sources that have been told to stop: they may be told again.
  #isStopping = false;
  #isEnding = false; // The program was told.

  /** @param {any} worker the one of worker.js */
  constructor(worker) {
    this.#worker = worker;
    worker.once('stop', () => {
      if (this.#onClosed === null) this.stop(null); // Else the worker has told it already.
    });
    worker[kAttend]();
  }

  // What the program calls.

  /** Stands in for `_getServer` of node:cluster, for what listens on a path, a port or a descriptor. */
  getServer(server, { address, port, addressType, fd, flags, backlog }, callback) {
    const { index, free } = port === 0 ? this.#anyPortOf(`${address}:${addressType}`) : FIRST;
    const target = { address, port, addressType, fd, flags, backlog, index };
    this.#leave();
    this.#worker[kAsk](LISTEN, { target, data: server._getServerData?.() }, ({ err, listener, name, data }) => {
      if (err !== 0 || this.#sources.has(listener)) {
        // Since Node 22 a server that was closed meanwhile closes the handle also after an error.
        callback(err || UV_EADDRINUSE, new NodesSource(server, free));
        return;
      }
      const source = new NodesSource(server, () => {
        free();
        this.#forget(source, listener);
      });
      if (listener === EVERY_LISTENER) this.#general.push(source);
      else this.#sources.set(listener, source);
      if (this.#count !== null) this.#countWith(source);
      if (data !== undefined) server._setServerData?.(data);
      this.#add(server);
      callback(0, source);
      if (server._handle === source) nameSource(source, server, name);
      this.#serveHeld();
    });
  }

  /** Takes note of a server or UDP socket that listens in this process alone. */
  addExclusive(server) {
    if (this.#exclusive.has(server)) return;
    this.#exclusive.add(server);
    server.once('close', () => this.#exclusive.delete(server));
    this.#add(server);
  }

  // Each of several servers with port 0 gets a port of its own, which it shares with the same
  // server of the other workers.
  #anyPortOf(key) {
    if (!this.#anyPort.has(key)) this.#anyPort.set(key, new Set());
    const used = this.#anyPort.get(key);
    let index = 0;
    while (used.has(index)) index += 1;
    used.add(index);
    return { index, free: () => used.delete(index) };
  }

  #add(server) {
    if (this.#servers.has(server)) return;
    if (this.#onClosed === null) this.#worker.serve(this);
    this.#servers.add(server);
    server.once('listening', () => this.#worker.ready());
    server.once('close', () => {
      this.#servers.delete(server);
      this.#endIfDone();
    });
  }

  #forget(source, listener) {
    if (listener === EVERY_LISTENER) this.#general = this.#general.filter((each) => each !== source);
    else this.#sources.delete(listener);
    if (this.#isStopping) return;
    this.#left.push(listener);
    // Another worker takes the place of one that has closed all, and its clients wait for that.
    if (this.#open.length === 0) this.#onClosed();
    else this.#leave();
  }

  #leave() {
    for (const listener of this.#left.splice(0)) this.#worker[kTell](UNLISTEN, { listener });
  }

  // What `worker` calls: it has this object in the place of a server, and of its source.

  [kMakeSource](onClosed) {
    this.#onClosed = onClosed;
    return this;
  }

  get listening() {
    return false; // Before it is served.
  }

  get #open() {
    return [...this.#sources.values(), ...this.#general];
  }

  /** Gives a connection to the server that listens at its address. @returns {any} its handle */
  take(fd, id, marks, receiver) {
    const source = this.#sourceOf(marks);
    if (source !== undefined) return this.#give(source, fd, id, marks, receiver);
    const connection = { fd, id, marks, receiver };
    this.#held.set(connection, setTimeout(() => this.#giveUp(connection), PATIENCE).unref());
    if (this.#isStopping) this.#giveUp(connection);
    return undefined;
  }

  #sourceOf(marks) {
    return this.#sources.get(marks & NUMBER) ?? this.#general[0];
  }

  #give(source, fd, id, marks, receiver) {
    if (this.#count !== null && !this.#counting.has(source)) this.#count();
    return source.take(fd, id, marks, receiver);
  }

  #serveHeld() {
    for (const [connection, timer] of this.#held) {
      const { fd, id, marks, receiver } = connection;
      const source = this.#sourceOf(marks);
      if (source === undefined) continue;
      clearTimeout(timer);
      this.#held.delete(connection);
      callSafely(() => this.#give(source, fd, id, marks, receiver));
    }
  }

  // Gives a held connection to another worker, or closes it.
  #giveUp(connection, move = null) {
    const { fd, id, marks, receiver } = connection;
    clearTimeout(this.#held.get(connection));
    this.#held.delete(connection);
    if (move === null) closeInBackground(fd);
    else move([{ descriptor: new Descriptor(fd), id, marks }]);
    receiver.closed(id);
  }

  countRequests(count) {
    this.#count = count;
    for (const source of this.#open) this.#countWith(source);
    return true;
  }

  #countWith(source) {
    if (source.countRequests(this.#count)) this.#counting.add(source);
  }

  /** As cluster.worker.disconnect(): another worker takes the place of this one, which then stops. */
  disconnect() {
    if (this.#onClosed === null) this.stop(null);
    else if (!this.#isStopping) this.#onClosed();
  }

  /** Closes the program's servers; the process ends when their connections have. As that of a source. */
  stop(move) {
    this.#isStopping = true;
    for (const connection of [...this.#held.keys()]) this.#giveUp(connection, move);
    this.#stopping.push(...this.#open);
    for (const source of this.#stopping) source.stop(move);
    for (const exclusive of this.#exclusive) exclusive.close();
    this.#exclusive.clear();
    this.#endIfDone();
  }

  // The program does not know of the cluster, so that its timers and connections to others may
  // keep it running. It is told as service managers do, if it listens; it may have things to save.
  #endIfDone() {
    if (!this.#isStopping || this.#isEnding || this.#servers.size > 0) return;
    this.#isEnding = true;
    if (process.listenerCount('SIGTERM') === 0) process.exit();
    if (isMainThread) process.kill(process.pid, 'SIGTERM');
    else process.emit('SIGTERM', 'SIGTERM'); // A signal is for the whole process.
  }
}

// What address() of the server says: that of the listener in the primary.
function nameSource(source, server, name) {
  if (typeof name === 'object') {
    source.getsockname = (out) => {
      Object.assign(out, name);
      return 0;
    };
  } else {
    source.getsockname = undefined; // As the handle of a pipe.
    server._pipeName = name;
  }
}

module.exports = { Interception };
