'use strict';

// What stands in the place of a listening handle in a worker: a server that is served by it
// takes the primary's connections as if it had accepted them itself, so that its limits,
// counts and timeouts hold. A connection's handle reports when it is closed.

const nodeNet = require('node:net');

const {
  PipeWrap,
  TcpWrap,
  closeFd,
  closeInBackground,
  duplicateFd,
  socketPair,
  openForeign,
} = require('../base/binding.js');
const { errnoException } = require('../base/errors.js');
const { listenToSource } = require('../net/server.js');
const { Descriptor } = require('../fd/descriptor.js');
const { DescriptorHandle, descriptorHandle } = require('../net/passing.js');
const { Http2Draining, HttpDraining, isHttp } = require('./draining.js');
const { IS_IDLE, IS_TCP, kMakeSource } = require('./marks.js');

const kHolds = Symbol('holds reading');
const kWantsToRead = Symbol('wants to read');
const kId = Symbol('id of the connection');
const kMarks = Symbol('marks');
const kReceiver = Symbol('receiver');
const SOCK_STREAM = 1;
const SOCKET = 0; // The type of a handle of Node's that is a connection.

function report(handle) {
  handle[kReceiver]?.closed(handle[kId]);
  handle[kReceiver] = undefined;
}

// A socket reads from the start, before its program has heard of it. A thread can be terminated
// between the two, and its loop still turns a little: what it read then would make the
// connection a touched one. So the reading is held until the program has the connection.
function letRead(handle) {
  if (handle === undefined) return;
  handle[kHolds] = false;
  if (handle[kWantsToRead]) handle.readStart();
}

const reporting = (Base) => {
  class Reporting extends Base {
    [kId] = 0;
    [kMarks] = 0;
    [kReceiver] = undefined;
    [kHolds] = false;
    [kWantsToRead] = false;

    readStart() {
      if (!this[kHolds]) return super.readStart();
      this[kWantsToRead] = true;
      return 0;
    }

    readStop() {
      this[kWantsToRead] = false;
      return super.readStop();
    }

    close(callback) {
      report(this);
      return super.close(callback);
    }
  }
  // A pipe's handle has no reset(), and must not seem to have one.
  if (Base.prototype.reset !== undefined) {
    Reporting.prototype.reset = function reset(callback) {
      report(this);
      return Base.prototype.reset.call(this, callback);
    };
  }
  Object.defineProperty(Reporting, 'name', { value: Base.name });
  return Reporting;
};

const ReportingPipe = reporting(PipeWrap);
const ReportingSocket = reporting(DescriptorHandle);
const ReportingTcp = reporting(TcpWrap);

function note(handle, id, marks, receiver) {
  handle[kId] = id;
  handle[kMarks] = marks;
  handle[kReceiver] = receiver;
  handle[kHolds] = true;
}

// The common part: what a server calls on its handle.
class Source {
  #server;
  #onClosed;

  /** @param {() => void} onClosed called once the server takes no more connections */
  constructor(server, onClosed) {
    this.#server = server;
    this.#onClosed = onClosed;
  }

  /**
   * Closes the server, which goes on with its connections. May be called again with null.
   *
   * @param {((connections: { descriptor: Descriptor, id: number, marks: number }[]) => void) | null} move
   *   takes the connections that another worker may have; null if there is none
   */
  stop(move) {
    void move; // Only a server that can tell which are idle has such.
    if (this.#server.listening) this.#server.close();
  }

  /**
   * @param {() => void} count called for each request that begins
   * @returns {boolean} false if the server has only connections to be counted
   */
  countRequests(count) {
    void count;
    return false;
  }

  close(callback) {
    this.#onClosed();
    if (typeof callback === 'function') setImmediate(callback);
    return 0;
  }

  hasUnread() {
    return false;
  }

  ref() {}

  unref() {}

  getsockname() {
    return undefined;
  }
}

// For a server of pipewright/net.
class OwnSource extends Source {
  isTcp = false;
  #origin = [];
  #handle = undefined;

  constructor(server, onClosed) {
    super(server, onClosed);
    listenToSource(server, this);
  }

  newHandle(descriptors) {
    /** @type {any} */
    let handle;
    if (this.isTcp) handle = new ReportingTcp();
    else if (descriptors === null) handle = new ReportingPipe();
    else handle = descriptorHandle(descriptors, /** @type {any} */ (ReportingSocket));
    note(handle, ...this.#origin);
    this.#handle = handle;
    return handle;
  }

  reject(fd) {
    closeInBackground(fd);
  }

  /** Hands a connection to the server. @returns {any} its handle */
  take(fd, id, marks, receiver) {
    this.isTcp = (marks & IS_TCP) !== 0;
    this.#origin = [id, marks, receiver];
    const outer = this.#handle; // The program may turn the loop while it gets a connection.
    /** @type {any} */
    let handle;
    try {
      /** @type {any} */ (this).onconnection(0, fd);
    } finally {
      handle = this.#handle;
      this.#handle = outer;
      letRead(handle);
    }
    return handle;
  }
}

// For a server of Node: it gets handles of Node's own, with which its parser and TLS are
// fastest.
class NodesSource extends Source {
  #draining = null;
  #http2Draining; // Any server may have sessions of http2.

  constructor(server, onClosed) {
    super(server, onClosed);
    prepareClasses();
    if (isHttp(server)) this.#draining = new HttpDraining(server);
    this.#http2Draining = new Http2Draining(server);
  }

  listen() {
    return 0;
  }

  getAsyncId() {
    return 0;
  }

  take(fd, id, marks, receiver) {
    const handle = nodesHandle(fd, (marks & IS_TCP) !== 0);
    note(handle, id, marks, receiver);
    const accept = () => /** @type {any} */ (this).onconnection(0, handle);
    try {
      if ((marks & IS_IDLE) !== 0 && this.#draining !== null) this.#draining.resume(accept);
      else accept();
    } finally {
      letRead(handle);
    }
    return handle;
  }

  countRequests(count) {
    this.#draining?.countRequests(count);
    return this.#draining !== null;
  }

  stop(move) {
    this.#http2Draining.stop();
    if (this.#draining === null) super.stop(null);
    else this.#draining.stop(move && ((sockets) => move(sockets.flatMap(detach))));
  }
}

// Takes the connection from the socket, which is closed. What the client sends meanwhile waits in
// the kernel. Returns nothing if there is no descriptor for it.
function detach(socket) {
  const { fd, [kId]: id, [kMarks]: marks } = socket._handle;
  if (id === undefined) return []; // It came by another way.
  const copy = duplicateFd(fd);
  if (copy < 0) return [];
  socket.destroy();
  return [{ descriptor: new Descriptor(copy), id, marks }];
}

const nodesClasses = new Map(); // By whether it is TCP.

// Node has no public name for its classes of handles, and finding out what a descriptor is,
// as _createServerHandle() does, takes three system calls.
function nodesClass(fd, isTcp) {
  if (!nodesClasses.has(isTcp)) {
    /** @type {any} */
    let sample;
    const copy = duplicateFd(fd);
    const err = openForeign(copy, nodeNet, (number) => {
      sample = /** @type {any} */ (nodeNet)._createServerHandle(null, null, null, number);
      return typeof sample === 'number' ? sample : 0;
    });
    if (err !== 0) {
      closeFd(copy);
      throw errnoException(err, 'open');
    }
    nodesClasses.set(isTcp, reporting(sample.constructor));
    sample.close();
  }
  return nodesClasses.get(isTcp);
}

// With the first connection it may be too late: the table of descriptors may be full.
function prepareClasses() {
  if (nodesClasses.size > 0) return;
  const pair = socketPair(SOCK_STREAM);
  if (typeof pair === 'number') throw errnoException(pair, 'socketpair');
  nodesClass(pair[0], false);
  for (const fd of pair) closeFd(fd);
  const sample = /** @type {any} */ (nodeNet)._createServerHandle('127.0.0.1', 0, 4);
  if (typeof sample === 'number') return; // There is no IPv4; the first connection will do.
  nodesClasses.set(true, reporting(sample.constructor));
  sample.close();
}

function nodesHandle(fd, isTcp) {
  const Handle = nodesClass(fd, isTcp);
  const handle = new Handle(SOCKET);
  const err = openForeign(fd, handle, handle.open);
  if (err) {
    handle.close();
    closeFd(fd);
    throw errnoException(err, 'open');
  }
  return handle;
}

/** Makes the source of a server of Node's or of pipewright's. */
function sourceOf(server, onClosed) {
  if (server[kMakeSource] !== undefined) return server[kMakeSource](onClosed);
  if (typeof server._listen2 !== 'function') return new OwnSource(server, onClosed);
  const source = new NodesSource(server, onClosed);
  server._handle = source;
  server._listen2(null, -1, -1, 0); // Sets onconnection and the owner, and emits 'listening'.
  return source;
}

module.exports = { NodesSource, sourceOf };
