'use strict';

// In a worker whose program is unchanged: the program's servers listen by themselves, and what
// they get are the cluster's connections. net.Server asks `_getServer` of node:cluster for its
// handle; preload.js puts getServer() in its place.
//
//   server.listen() -> getServer() -> LISTEN -> the primary listens, or does so already
//   server._handle  <- a source    <- LISTENING
//
// A server that listens as `exclusive` and a UDP socket listen in this process alone.

const { closeInBackground } = require('../base/binding.js');
const { callSafely } = require('../base/callback.js');
const { UV_EADDRINUSE } = require('../base/constants.js');
const { EVERY_LISTENER, LISTEN, UNLISTEN, kAsk, kAttend, kMakeSource, kTell } = require('./marks.js');
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
  #anyPort = new Map(); // By address: the numbers of the servers that listen there at any port.
  #held = new Map(); // By the number of the listener: connections for which there is no server yet.
  #isStopping = false;

  /** @param {any} worker the one of worker.js */
  constructor(worker) {
    this.#worker = worker;
    worker.once('stop', () => this.close());
    worker[kAttend]();
  }

  // What the program calls.

  /** Stands in for `_getServer` of node:cluster, for what listens on a path, a port or a descriptor. */
  getServer(server, { address, port, addressType, fd, flags, backlog }, callback) {
    const { index, free } = port === 0 ? this.#anyPortOf(`${address}:${addressType}`) : FIRST;
    const target = { address, port, addressType, fd, flags, backlog, index };
    this.#worker[kAsk](LISTEN, { target, data: server._getServerData?.() }, ({ err, listener, name, data }) => {
      if (err !== 0 || this.#sources.has(listener)) {
        // Since Node 22 a server that was closed meanwhile closes the handle also after an error.
        callback(err || UV_EADDRINUSE, new NodesSource(free));
        return;
      }
      const source = new NodesSource(() => {
        free();
        this.#forget(source, listener);
      });
      if (listener === EVERY_LISTENER) this.#general.push(source);
      else this.#sources.set(listener, source);
      if (data !== undefined) server._setServerData?.(data);
      this.#add(server);
      callback(0, source);
      if (server._handle === source) nameSource(source, server, name);
      this.#release();
    });
  }

  /** Takes note of a server or UDP socket that listens in this process alone. */
  addExclusive(server) {
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
    this.#worker[kTell](UNLISTEN, { listener });
    if (this.#sources.size + this.#general.length === 0) this.#onClosed();
  }

  // What `worker` calls: it has this object in the place of a server.

  [kMakeSource](onClosed) {
    this.#onClosed = onClosed;
    return this;
  }

  get listening() {
    return this.#servers.size > 0;
  }

  /** Gives a connection to the server that listens at its address. @returns {any} its handle */
  take(fd, isTcp, id, receiver, listener) {
    const source = this.#sources.get(listener) ?? this.#general[0];
    if (source !== undefined) return source.take(fd, isTcp, id, receiver);
    this.#hold({ fd, isTcp, id, receiver, listener });
    return undefined;
  }

  #hold(connection) {
    const giveUp = setTimeout(() => this.#release(connection), PATIENCE).unref();
    this.#held.set(connection, giveUp);
    if (this.#isStopping) this.#release(connection);
  }

  // Gives the held connections to the servers that have come; closes `unwanted`.
  #release(unwanted = undefined) {
    for (const [connection, giveUp] of this.#held) {
      const { fd, isTcp, id, receiver, listener } = connection;
      const source = this.#sources.get(listener) ?? this.#general[0];
      if (source === undefined && connection !== unwanted) continue;
      clearTimeout(giveUp);
      this.#held.delete(connection);
      if (source !== undefined) {
        callSafely(() => source.take(fd, isTcp, id, receiver));
      } else {
        closeInBackground(fd);
        receiver.closed(id);
      }
    }
  }

  /** Closes the program's servers; the process ends when their connections have. */
  close() {
    if (this.#isStopping) return;
    this.#isStopping = true;
    for (const connection of [...this.#held.keys()]) this.#release(connection);
    for (const server of [...this.#servers]) server.close(() => {});
    this.#endIfDone();
  }

  // The program does not know of the cluster, so that its timers and connections to others may
  // keep it running. It is told as service managers do, if it listens; it may have things to save.
  #endIfDone() {
    if (!this.#isStopping || this.#servers.size > 0) return;
    if (process.listenerCount('SIGTERM') > 0) process.kill(process.pid, 'SIGTERM');
    else process.exit();
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
