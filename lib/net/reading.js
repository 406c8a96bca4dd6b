'use strict';

// Carries bytes from the handle to the 'data' handler, and decides when the handle reads on.

const net = require('node:net');
const { Duplex } = require('node:stream');
const { isUint8Array } = require('node:util').types;

const { UV_ENOBUFS, UV_EOF } = require('../base/constants.js');
const { errnoException, receiveException } = require('../base/errors.js');
const { kDescriptors, kOwner, kPushed, kTimer, kUserRead } = require('./symbols.js');
const { refreshTimer } = require('./timeout.js');

/** Makes the handle read for its socket, whatever others write to its `onread`. */
function readForSocket(handle) {
  handle.reader = onread;
  handle.onreadreplaced = onReadReplaced;
}

// The handle's `reader`: bytes, or a negative errno.
function onread(nread, chunk) {
  const socket = this[kOwner];
  if (socket[kTimer] !== null) refreshTimer(socket);
  if (nread < 0) {
    endReading(socket, nread);
  } else if (!socket.destroyed && !deliver(socket, nread, chunk)) {
    stopReading(socket);
  }
}

// Other code takes over the reads by assigning the handle's `onread`. It gives them back by
// assigning the old value or, as Node's http.Agent does, the function that Node's own
// handles have. That function is not called: it would look for the bytes where only Node's
// own streams leave them.
function onReadReplaced(replacement) {
  const isGivenBack = replacement === onread || replacement === onreadOfNode();
  this.reader = isGivenBack ? onread : onUnwantedRead;
}

// The Agent guards its idle sockets this way, and destroys one on which bytes arrive: they
// would be taken for the response to the next request.
function onUnwantedRead() {
  this[kOwner].destroy();
}

let foundOnreadOfNode;

// Returns the function that a socket of node:net assigns to the `onread` of its handle.
function onreadOfNode() {
  if (foundOnreadOfNode === undefined) {
    const handle = {};
    new net.Socket(/** @type {any} */ ({ handle, manualStart: true }));
    foundOnreadOfNode = handle.onread;
  }
  return foundOnreadOfNode;
}

// Returns false if the reader wants no more for now.
function deliver(socket, nread, chunk) {
  if (socket[kUserRead] !== null) return deliverToUser(socket, nread);
  // Does what push() does for a flowing stream with an empty buffer, but without its
  // bookkeeping. The first chunk still goes through push(), for readableDidRead.
  if (
    socket[kPushed] &&
    socket.readableFlowing === true &&
    socket.readableLength === 0 &&
    socket.readableEncoding === null &&
    socket.listenerCount('data') > 0
  ) {
    socket.emit('data', chunk);
    return true;
  }
  socket[kPushed] = true;
  return socket.push(chunk);
}

// The option `onread`: the bytes are in the caller's own buffer.
function deliverToUser(socket, nread) {
  const userRead = socket[kUserRead];
  const goOn = userRead.callback.call(socket, nread, userRead.buffer) !== false;
  if (userRead.nextBuffer === null) return goOn;
  const next = userRead.nextBuffer();
  if (isUint8Array(next)) {
    userRead.buffer = next;
    socket._handle?.useUserBuffer(next);
  }
  return goOn;
}

function endReading(socket, nread) {
  if (nread !== UV_EOF) {
    socket.destroy(readException(socket, nread));
    return;
  }
  if (socket.readableEnded) return;
  socket.push(null);
  socket.read(0);
}

function readException(socket, errno) {
  // The handle has no room: the user's buffer is empty, or detached.
  if (errno === UV_ENOBUFS && socket[kUserRead] !== null) {
    return errnoException(errno, 'read', 'the buffer of the option onread has no room');
  }
  return socket[kDescriptors] === null ? errnoException(errno, 'read') : receiveException(errno);
}

function startReading(socket) {
  socket._handle.reading = true;
  const err = socket._handle.readStart();
  if (err) socket.destroy(errnoException(err, 'read'));
}

function stopReading(socket) {
  const handle = socket._handle;
  if (!handle) return;
  handle.reading = false;
  const err = handle.readStop();
  if (err) socket.destroy(errnoException(err, 'read'));
}

/**
 * The method Socket.prototype[kStopReading]: stops reading, and leaves what comes to
 * the object that has or will have the descriptor. Reading resumes when the caller reads.
 */
function leaveReading() {
  if (this._handle) stopReading(this);
  this.pause();
  this.readableFlowing = false;
  // Otherwise the stream would wait for the stopped read, and not ask for another.
  this._readableState.reading = false;
}

/** The method Socket.prototype._read. */
function read(size) {
  if (this.connecting || !this._handle) {
    this.once('connect', () => this._read(size));
  } else if (!this._handle.reading) {
    startReading(this);
  }
}

// With the option `onread` nothing can be kept for later, so pausing stops the handle
// itself.
const readsForUser = (socket) => socket[kUserRead] !== null && !socket.connecting && socket._handle;

/** The method Socket.prototype.pause. */
function pause() {
  if (readsForUser(this) && this._handle.reading) stopReading(this);
  return Duplex.prototype.pause.call(this);
}

/** The method Socket.prototype.resume. */
function resume() {
  if (readsForUser(this) && !this._handle.reading) startReading(this);
  return Duplex.prototype.resume.call(this);
}

/** The method Socket.prototype.read. */
function readNow(size) {
  if (readsForUser(this) && !this._handle.reading) startReading(this);
  return Duplex.prototype.read.call(this, size);
}

module.exports = {
  endReading,
  leaveReading,
  pause,
  read,
  readForSocket,
  readNow,
  resume,
  startReading,
  stopReading,
};
