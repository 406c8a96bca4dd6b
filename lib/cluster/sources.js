'use strict';

// What stands in the place of a listening handle in a worker: a server that is served by it
// takes the primary's connections as if it had accepted them itself, so that its limits,
// counts and timeouts hold. A connection's handle reports when it is closed.

const nodeNet = require('node:net');

const { PipeWrap, TcpWrap, closeFd, closeInBackground, duplicateFd, openForeign } = require('../base/binding.js');
const { errnoException } = require('../base/errors.js');
const { listenToSource } = require('../net/server.js');
const { DescriptorHandle, descriptorHandle } = require('../net/passing.js');
const { kMakeSource } = require('./marks.js');

const kHolds = Symbol('holds reading');
const kWantsToRead = Symbol('wants to read');
const kId = Symbol('id of the connection');
const kReceiver = Symbol('receiver');
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

// The common part: what a server calls on its handle.
class Source {
  #onClosed;

  /** @param {() => void} onClosed called once the server takes no more connections */
  constructor(onClosed) {
    this.#onClosed = onClosed;
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
  #receiver = null;
  #id = 0;
  #handle = undefined;

  constructor(server, onClosed) {
    super(onClosed);
    listenToSource(server, this);
  }

  newHandle(descriptors) {
    /** @type {any} */
    let handle;
    if (this.isTcp) handle = new ReportingTcp();
    else if (descriptors === null) handle = new ReportingPipe();
    else handle = descriptorHandle(descriptors, /** @type {any} */ (ReportingSocket));
    handle[kId] = this.#id;
    handle[kReceiver] = this.#receiver;
    handle[kHolds] = true;
    this.#handle = handle;
    return handle;
  }

  reject(fd) {
    closeInBackground(fd);
  }

  /** Hands a connection to the server. @returns {any} its handle */
  take(fd, isTcp, id, receiver) {
    this.isTcp = isTcp;
    this.#id = id;
    this.#receiver = receiver;
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
  listen() {
    return 0;
  }

  getAsyncId() {
    return 0;
  }

  take(fd, isTcp, id, receiver) {
    const handle = nodesHandle(fd, isTcp);
    handle[kId] = id;
    handle[kReceiver] = receiver;
    handle[kHolds] = true;
    try {
      /** @type {any} */ (this).onconnection(0, handle);
    } finally {
      letRead(handle);
    }
    return handle;
  }
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
  const source = new NodesSource(onClosed);
  server._handle = source;
  server._listen2(null, -1, -1, 0); // Sets onconnection and the owner, and emits 'listening'.
  return source;
}

module.exports = { NodesSource, sourceOf };
