'use strict';

// net.Socket: a Duplex over a PipeWrap or a TcpWrap. How it begins and ends is here;
// reading.js, writing.js, connecting.js, timeout.js and properties.js have the rest.

const nodeNet = require('node:net');
const { Duplex } = require('node:stream');
const { isUint8Array } = require('node:util').types;

const { inThisContext } = require('../base/async_scope.js');
const { UV_ENOTCONN } = require('../base/constants.js');
const { errnoException, plain } = require('../base/errors.js');
const { acceptInstancesOf } = require('../base/instances.js');
const { kLend, lendHandle } = require('../fd/lend.js');
const { connect } = require('./connecting.js');
const { whenAborted } = require('../base/abort.js');
const { normalizeSocketOptions } = require('./options.js');
const { handleOfFd } = require('./handle.js');
const { sendDescriptors } = require('./passing.js');
const { defineAccessors, peerCredentials } = require('./properties.js');
const { leaveReading, pause, read, readForSocket, readNow, resume } = require('./reading.js');
const { defineTcpMethods } = require('./tcp_options.js');
const { onTimeout, refreshTimer, setTimeoutOf, stopTimer } = require('./timeout.js');
const { isWrappedByNode } = require('./wrapper.js');
const { write, writeGeneric, writeNow, writev } = require('./writing.js');
const {
  kBytesRead,
  kBytesWritten,
  kDescriptors,
  kFresh,
  kOwner,
  kPushed,
  kStopReading,
  kTcpOptions,
  kTimer,
  kTimerQueueSize,
  kUserRead,
  kWrapped,
  kWriteResult,
  kWriteStatus,
} = require('./symbols.js');

/**
 * A connection over a Unix socket, a pipe or TCP; net.Socket of Node.
 *
 * @param {object | number} [options] as of node:net; a number is a descriptor
 */
function Socket(options) {
  if (!(this instanceof Socket)) return new Socket(options);
  const settings = normalizeSocketOptions(options);
  initState(this);
  Duplex.call(this, settings.stream);
  this[kUserRead] = settings.onread;
  this[kTcpOptions] = { ...settings.tcp };
  this.blockList = settings.blockList;
  this[kDescriptors] = settings.descriptors;
  if (settings.handle) {
    this._handle = settings.handle;
  } else if (settings.fd !== undefined) {
    this._handle = handleOfFd(settings.fd, settings.descriptors);
  }
  this.on('end', onReadableEnd);
  attachHandle(this);
  this[kFresh] = !this._handle;
  if (this._handle && settings.stream.readable !== false) beginReading(this, settings);
  if (settings.signal !== undefined) whenAborted(settings.signal, this, (error) => this.destroy(error));
}
Object.setPrototypeOf(Socket.prototype, Duplex.prototype);
Object.setPrototypeOf(Socket, Duplex);
acceptInstancesOf(Socket, nodeNet.Socket);

function initState(socket) {
  socket.connecting = false;
  socket._hadError = false;
  socket._handle = null;
  socket._parent = null;
  socket._host = null;
  socket._peername = null;
  socket._sockname = null;
  socket._pendingData = null;
  socket._pendingEncoding = '';
  socket.server = null;
  socket._server = null;
  socket[kBytesRead] = 0;
  socket[kBytesWritten] = 0;
  socket[kPushed] = false;
  socket[kTimer] = null;
  socket[kTimerQueueSize] = 0;
  socket[kWrapped] = false;
  socket[kWriteResult] = null;
  socket[kWriteStatus] = 0;
}

// Makes the handle the socket's own. Also called by connecting.js.
function attachHandle(socket) {
  // A destroyed socket may be connected anew.
  socket._undestroy();
  socket._sockname = null;
  const handle = socket._handle;
  if (!handle) return;
  handle[kOwner] = socket;
  readForSocket(handle);
  const userRead = socket[kUserRead];
  if (userRead === null) return;
  if (userRead.nextBuffer !== null) userRead.buffer = userRead.nextBuffer();
  if (isUint8Array(userRead.buffer)) handle.useUserBuffer(userRead.buffer);
}

function beginReading(socket, { pauseOnCreate, manualStart }) {
  if (pauseOnCreate) {
    socket._handle.reading = false;
    socket.readableFlowing = false;
  } else if (!manualStart) {
    socket.read(0);
  }
}

// Reading: reading.js.

Socket.prototype._read = read;
Socket.prototype.pause = pause;
Socket.prototype.resume = resume;
Socket.prototype.read = readNow;
Socket.prototype[kStopReading] = leaveReading;

// Writing: writing.js.

Socket.prototype.write = writeNow;
Socket.prototype._write = write;
Socket.prototype._writev = writev;
Socket.prototype._writeGeneric = writeGeneric;
Socket.prototype.sendDescriptors = sendDescriptors;

// The receiver would miss bytes that were read but not consumed. Bytes that were written
// but not sent would arrive after those that the receiver writes.
Socket.prototype[kLend] = function ({ keep }) {
  return lendHandle(this._handle, {
    keep,
    hasData: this.readableLength > 0 || this.writableLength > 0,
    stopReading: () => this[kStopReading](),
    close: () => this.destroy(),
  });
};

// Connecting: connecting.js.

Socket.prototype.connect = function (...args) {
  if (this.write !== Socket.prototype.write) this.write = Socket.prototype.write;
  return connect(this, args, attachHandle);
};

// Ending.

// Once the peer has ended and half-open is not wanted, the stream ends itself; a write
// after that fails as it would in the kernel. A wrapper of Node's ends the stream when it
// has written all.
function onReadableEnd() {
  if (this.allowHalfOpen) return;
  if (isWrappedByNode(this)) {
    this.allowHalfOpen = true;
  } else {
    this.write = writeAfterEnd;
  }
}

function writeAfterEnd(chunk, encoding, callback) {
  if (!this.writableEnded) return Duplex.prototype.write.call(this, chunk, encoding, callback);
  const done = typeof encoding === 'function' ? encoding : callback;
  const error = plain('EPIPE');
  if (typeof done === 'function') process.nextTick(done, error);
  // TLS over this socket says goodbye after the peer has gone, in a corked write, and
  // ignores a failure of that write. An 'error' would make every such end a failure.
  if (this.writableCorked === 0 || typeof done !== 'function') this.destroy(error);
  return false;
}

Socket.prototype.end = function end(chunk, encoding, callback) {
  Duplex.prototype.end.call(this, chunk, encoding, callback);
  return this;
};

Socket.prototype._final = function _final(callback) {
  if (this.connecting) {
    this.once('connect', () => this._final(callback));
    return;
  }
  const handle = this._handle;
  if (!handle) {
    callback();
    return;
  }
  // The peer has ended, too, so this socket is closed next. That tells the peer as much as shutdown(2)
  // if no other process has the descriptor.
  if (this.readableEnded && handle.isPrivate && this._writableState.autoDestroy) {
    callback();
    return;
  }
  const err = handle.shutdown();
  if (err === UV_ENOTCONN) {
    callback();
  } else if (err !== 0) {
    callback(errnoException(err, 'shutdown'));
  } else {
    handle.onshutdown = inThisContext('SHUTDOWNWRAP', () => callback());
  }
};

Socket.prototype.destroySoon = function destroySoon() {
  if (this.writable) this.end();
  if (this.writableFinished) {
    this.destroy();
  } else {
    this.once('finish', this.destroy);
  }
};

Socket.prototype._destroy = function _destroy(given, callback) {
  // The write's callback reports a failure to Node's wrapper, and TLS ignores it if only
  // the goodbye failed. An 'error' would make every end by the peer a failure, and would
  // report other failures twice.
  const exception = given?.syscall === 'write' && isWrappedByNode(this) ? null : given;
  this.connecting = false;
  for (let each = this; each; each = each._parent) stopTimer(each);
  if (this._handle) {
    closeHandle(this, exception !== null && exception !== undefined);
    callback(exception);
  } else {
    callback(exception);
    process.nextTick(() => this.emit('close')); // As in Node, without the argument `hadError`.
  }
  const server = this._server;
  if (server) {
    server._connections--;
    server._emitCloseIfDrained?.();
  }
};

function emitClose(socket, hadError) {
  socket.emit('close', hadError);
}

function closeHandle(socket, hadError) {
  const handle = socket._handle;
  socket[kBytesRead] = handle.bytesRead;
  socket[kBytesWritten] = handle.bytesWritten;
  const onClose = () => emitClose(socket, hadError);
  // The socket may have been connected to a path in the meantime.
  if (socket.resetAndClosing && handle.reset !== undefined) {
    socket.resetAndClosing = false;
    handle.onclose = onClose;
    const err = handle.reset();
    if (err !== 0) {
      socket.emit('error', errnoException(err, 'reset'));
      handle.close(onClose);
    }
  } else {
    handle.close(onClose);
  }
  handle.reader = undefined;
  socket._handle = null;
  socket._sockname = null;
}

/** TCP only: closes with a RST; see node:net. @throws ERR_INVALID_HANDLE_TYPE */
Socket.prototype.resetAndDestroy = function resetAndDestroy() {
  if (!this._handle) {
    this.destroy(plain('ERR_SOCKET_CLOSED'));
    return this;
  }
  if (!this._handle.reset) throw plain('ERR_INVALID_HANDLE_TYPE');
  if (this.connecting) {
    this.once('connect', () => this._reset());
  } else {
    this._reset();
  }
  return this;
};

Socket.prototype._reset = function _reset() {
  this.resetAndClosing = true;
  return this.destroy();
};

// Timeout, ref and unref.

Socket.prototype.setTimeout = setTimeoutOf;
Socket.prototype._onTimeout = onTimeout;
Socket.prototype._unrefTimer = function _unrefTimer() {
  refreshTimer(this);
};

function refOrWait(method) {
  return function () {
    if (!this._handle) {
      this.once('connect', this[method]);
    } else if (typeof this._handle[method] === 'function') {
      this._handle[method]();
    }
    return this;
  };
}

Socket.prototype.ref = refOrWait('ref');
Socket.prototype.unref = refOrWait('unref');

// TCP options, names and peers; the accessors are in properties.js.

defineTcpMethods(Socket.prototype);
defineAccessors(Socket.prototype);

/** Our end's name: { address, family, port } of TCP, {} of a Unix socket. */
Socket.prototype.address = function address() {
  return this._getsockname();
};

Socket.prototype._getsockname = function _getsockname() {
  if (!this._handle?.getsockname) return {};
  this._sockname ??= nameOf(this._handle.getsockname());
  return this._sockname;
};

Socket.prototype._getpeername = function _getpeername() {
  if (!this._handle?.getpeername || this.connecting) return this._peername ?? {};
  if (this._peername === null) {
    const name = this._handle.getpeername();
    if (typeof name !== 'object') return {};
    this._peername = name;
  }
  return this._peername;
};

const nameOf = (name) => (typeof name === 'object' ? name : {});

/**
 * Returns { pid, uid, gid, groups } of the process at the other end of a Unix socket, as the
 * kernel noted them at connect(2) or socketpair(2). See unix(7), SO_PEERCRED, SO_PEERGROUPS.
 *
 * @throws ERR_SOCKET_CLOSED, or the system's error (ENOTCONN; ENOTSUP for TCP)
 */
Socket.prototype.peerCredentials = function () {
  if (!this._handle) throw plain('ERR_SOCKET_CLOSED');
  return peerCredentials(this._handle.fd);
};

module.exports = { Socket };
