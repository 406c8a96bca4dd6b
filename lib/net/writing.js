'use strict';

// From socket.write() to the handle. A write that finds nothing queued before it goes
// to the kernel at once, past the machinery of stream.Writable; only what the kernel
// does not take becomes a write of the stream, with its back-pressure.

const { Duplex } = require('node:stream');
const { isUint8Array } = require('node:util').types;

const { inThisContext } = require('../base/async_scope.js');
const { QUEUED, WRITTEN } = require('../base/constants.js');
const { errnoException, plain } = require('../base/errors.js');
const { kFresh, kTimer, kTimerQueueSize, kWriteResult, kWriteStatus } = require('./symbols.js');
const { refreshTimer } = require('./timeout.js');

const isUtf8 = (encoding) => encoding === undefined || encoding === null || encoding === 'utf8' || encoding === 'utf-8';

function writeToHandle(handle, chunk, encoding) {
  if (typeof chunk !== 'string') return handle.writeBuffer(chunk);
  switch (encoding) {
    case 'utf8':
    case 'utf-8':
      return handle.writeUtf8String(chunk);
    case 'latin1':
    case 'binary':
    case 'ascii':
      return handle.writeLatin1String(chunk);
    default:
      return handle.writeBuffer(Buffer.from(chunk, encoding));
  }
}

// Reports whether this write may bypass the stream: everything before it has left, and it
// is smaller than what would make the stream ask for a wait for 'drain'.
function isUnobstructed(socket, length) {
  return (
    socket._handle !== null &&
    length < socket.writableHighWaterMark &&
    socket.writableLength === 0 &&
    socket.writableCorked === 0 &&
    socket.writable &&
    !socket.connecting &&
    socket._write === write &&
    socket[kWriteResult] === null
  );
}

/** The method Socket.prototype.write. */
function writeNow(chunk, encoding, callback) {
  const isText = typeof chunk === 'string';
  if (
    (isText ? !isUtf8(encoding) || this._writableState.defaultEncoding !== 'utf8' : !isUint8Array(chunk)) ||
    chunk.length === 0 ||
    typeof encoding === 'function' ||
    (callback !== undefined && typeof callback !== 'function') ||
    !isUnobstructed(this, chunk.length)
  ) {
    return Duplex.prototype.write.call(this, chunk, encoding, callback);
  }
  if (this[kTimer] !== null) refreshTimer(this);
  const result = isText ? this._handle.writeUtf8String(chunk) : this._handle.writeBuffer(chunk);
  if (result === WRITTEN) {
    if (callback !== undefined) process.nextTick(callback, null);
    return true;
  }
  // The stream takes over from here; _write() below finds that it is done already.
  this[kWriteResult] = result;
  return Duplex.prototype.write.call(this, chunk, encoding, callback);
}

// Reports the result of a handle's write to the stream.
function reportWrite(socket, result, callback) {
  if (result === WRITTEN) {
    callback();
  } else if (result === QUEUED) {
    awaitWrite(socket, callback);
  } else {
    callback(errnoException(result, 'write'));
  }
}

// onwrite() runs in the context of this write, not of the handle.
function awaitWrite(socket, callback) {
  const handle = socket._handle;
  socket[kTimerQueueSize] = handle.writeQueueSize;
  handle.onwrite = inThisContext('WRITEWRAP', (status) => {
    handle.onwrite = undefined;
    afterWrite(socket, status, callback);
  });
}

function afterWrite(socket, status, callback) {
  socket[kWriteStatus] = status;
  if (socket.destroyed) {
    callback(null);
  } else if (status < 0) {
    callback(errnoException(status, 'write'));
  } else {
    refreshTimer(socket);
    socket[kTimerQueueSize] = 0;
    callback(null);
  }
}

// Waits for the connection, then calls `again`; fails `callback` if the socket closes before.
function whenConnected(socket, again, callback) {
  const onClose = () => callback(plain('ERR_SOCKET_CLOSED_BEFORE_CONNECTION'));
  socket.once('connect', () => {
    socket.off('close', onClose);
    again();
  });
  socket.once('close', onClose);
}

/** The method Socket.prototype._write. */
function write(chunk, encoding, callback) {
  if (this[kWriteResult] !== null) {
    const result = this[kWriteResult];
    this[kWriteResult] = null;
    reportWrite(this, result, callback);
    return;
  }
  this._writeGeneric(false, chunk, encoding, callback);
}

/** The method Socket.prototype._writev: what was corked, or queued behind a write. */
function writev(chunks, callback) {
  this._writeGeneric(true, chunks, '', callback);
}

/** The method Socket.prototype._writeGeneric. */
function writeGeneric(isMany, data, encoding, callback) {
  // Also before connect() was called, so that TLS may be put over a socket that is not
  // connected yet.
  if (this.connecting || this[kFresh]) {
    this._pendingData = data;
    this._pendingEncoding = encoding;
    whenConnected(this, () => this._writeGeneric(isMany, data, encoding, callback), callback);
    return;
  }
  this._pendingData = null;
  this._pendingEncoding = '';
  const handle = this._handle;
  if (!handle) {
    callback(plain('ERR_SOCKET_CLOSED'));
    return;
  }
  refreshTimer(this);
  const result = isMany ? handle.writeBuffers(toBuffers(data)) : writeToHandle(handle, data, encoding);
  reportWrite(this, result, callback);
}

function toBuffers(chunks) {
  return chunks.map(({ chunk, encoding }) => (typeof chunk === 'string' ? Buffer.from(chunk, encoding) : chunk));
}

const byteLength = (chunk, encoding) => (typeof chunk === 'string' ? Buffer.byteLength(chunk, encoding) : chunk.length);

/** The number of bytes that wait in JavaScript, for the connection or for an earlier write. */
function bytesWaiting(socket) {
  let bytes = 0;
  for (const { chunk, encoding } of socket.writableBuffer ?? []) bytes += byteLength(chunk, encoding);
  const pending = socket._pendingData;
  if (Array.isArray(pending)) {
    for (const { chunk, encoding } of pending) bytes += byteLength(chunk, encoding);
  } else if (pending) {
    bytes += byteLength(pending, socket._pendingEncoding);
  }
  return bytes;
}

module.exports = { bytesWaiting, write, writeGeneric, writeNow, writev };
