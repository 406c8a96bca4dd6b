'use strict';

// net.Server: a Listener, and a Socket for each connection that it accepts.

const EventEmitter = require('node:events');
const nodeNet = require('node:net');

const { PipeWrap, TcpWrap } = require('../base/binding.js');
const { errnoException, plain } = require('../base/errors.js');
const { acceptInstancesOf } = require('../base/instances.js');
const { whenAborted } = require('../base/abort.js');
const { kLend, lendListener } = require('../fd/lend.js');
const { connectionAccepted, listenFailed, listenStarted, listenSucceeded } = require('./diagnostics.js');
const { startListening } = require('./listening.js');
const { acceptedSocketOptions, normalizeListenArgs, normalizeServerOptions } = require('./options.js');
const { descriptorHandle } = require('./passing.js');
const { peerCredentials } = require('./properties.js');
const { Socket } = require('./socket.js');
const { forgetFile } = require('../base/socket_files.js');
const { kOwner } = require('./symbols.js');
const { addWorker, awaitWorkers, countWithWorkers } = require('./workers.js');

// The meaning of `maxConnections = 0` changed with Node 21: before, it set no limit.
const ZERO_DROPS_ALL = Number.parseInt(process.versions.node, 10) >= 21;

const kSettings = Symbol('settings');
const kAccepted = Symbol('accepted'); // Options of accepted sockets, and what they were made from.
const kAttempt = Symbol('attempt'); // The last listen(); see listening.js.
const kDelivering = Symbol('delivering'); // Number of closed listeners that still have to deliver connections.

/**
 * Listens on a path, an abstract name, a port or a descriptor; net.Server of Node.
 *
 * @param {object | Function} [options]
 * @param {Function} [listener] for 'connection'
 */
function Server(options, listener) {
  if (!(this instanceof Server)) return new Server(options, listener);
  EventEmitter.call(this, typeof options === 'object' ? (options ?? undefined) : undefined);
  const normalized = normalizeServerOptions(options, listener);
  if (normalized.listener) this.on('connection', normalized.listener);
  this[kSettings] = normalized.settings;
  this[kAttempt] = null;
  this[kAccepted] = undefined;
  this[kDelivering] = 0;
  this._connections = 0;
  this._handle = null;
  this._unref = false;
  this._usingWorkers = false;
  this._workers = [];
  this.allowHalfOpen = normalized.settings.allowHalfOpen;
  this.pauseOnConnect = normalized.settings.pauseOnConnect;
  this.noDelay = normalized.settings.noDelay;
  this.keepAlive = normalized.settings.keepAlive;
  this.keepAliveInitialDelay = normalized.settings.keepAliveSeconds;
  this.highWaterMark = normalized.settings.highWaterMark;
}
Object.setPrototypeOf(Server.prototype, EventEmitter.prototype);
Object.setPrototypeOf(Server, EventEmitter);
acceptInstancesOf(Server, nodeNet.Server);

// Listening.

Server.prototype.listen = function listen(...args) {
  if (this._handle || this[kAttempt]?.isPending) throw plain('ERR_SERVER_ALREADY_LISTEN');
  const target = normalizeListenArgs(args);
  listenStarted(this, target.given);
  if (target.callback !== null) this.once('listening', target.callback);
  this._pipeName = target.kind === 'path' ? target.path : undefined;
  if (target.signal !== undefined) whenAborted(target.signal, this, () => this.close());
  this[kAttempt] = startListening(
    { ...target, descriptors: this[kSettings].descriptors !== null },
    {
      begun: (listener, key) => begun(this, listener, key),
      failed: (error) => failed(this, error),
    },
  );
  return this;
};

function failed(server, error) {
  listenFailed(server, error);
  process.nextTick(() => server.emit('error', error));
}

/**
 * Makes a server listen to what another process accepts. `source` is in the place of a Listener:
 * it has close() hasUnread() ref() unref() getsockname() reject(fd), and `newHandle(descriptors)`,
 * which makes the handle of a connection. It sets `isTcp` before it calls its onconnection().
 *
 * @param {any} server
 * @throws ERR_SERVER_ALREADY_LISTEN
 */
function listenToSource(server, source) {
  if (server._handle || server[kAttempt]?.isPending) throw plain('ERR_SERVER_ALREADY_LISTEN');
  begun(server, source, null);
}

function begun(server, listener, key) {
  listener[kOwner] = server;
  listener.onconnection = onconnection;
  listener.isTcp = typeof listener.getsockname() === 'object';
  server._handle = listener;
  server._connectionKey = key;
  if (server._unref) listener.unref();
  listenSucceeded(server);
  process.nextTick(() => {
    if (server._handle === listener) server.emit('listening');
  });
}

// Accepting. Called by completions.js with a connection, or a negative errno; then `fd` 1
// means that there was no room, and that the listener continues by itself.

function onconnection(status, fd) {
  const server = this[kOwner];
  if (status === 0) {
    admit(server, this, fd);
  } else {
    server.emit(fd === 1 ? 'overload' : 'error', errnoException(status, 'accept'));
  }
}

function admit(server, listener, fd) {
  const { isTcp } = listener;
  const handle = newHandle(server, listener);
  const err = handle.open(fd);
  if (err !== 0) {
    handle.close();
    listener.reject(fd);
    server.emit('error', errnoException(err, 'accept'));
    return;
  }
  const isOver = orError(server, handle, () => isFull(server));
  if (isOver === undefined) return;
  if (isOver || (isTcp && isBlocked(server, handle))) {
    refuse(server, handle, isTcp ? tcpNames(handle) : undefined);
    return;
  }
  const peer = refusedPeer(server, handle, isTcp);
  if (peer !== undefined) {
    refuse(server, handle, peer);
    return;
  }
  // Others that make handles may keep a copy of the descriptor, as the primary of a cluster does.
  handle.isPrivate = listener.newHandle === undefined;
  serve(server, handle);
}

// Returns what `act` returns. It reads properties of the server, to which the program may
// have assigned anything: if it throws, closes the connection and emits 'error'.
function orError(server, handle, act) {
  try {
    return act();
  } catch (error) {
    handle.close();
    server.emit('error', error);
    return undefined;
  }
}

function newHandle(server, listener) {
  const { descriptors } = server[kSettings];
  if (listener.newHandle !== undefined) return listener.newHandle(descriptors);
  if (listener.isTcp) return new TcpWrap();
  return descriptors === null ? new PipeWrap() : descriptorHandle(descriptors);
}

function isFull({ maxConnections, _connections }) {
  if (maxConnections === 0) return ZERO_DROPS_ALL;
  return _connections >= maxConnections; // False if maxConnections is undefined.
}

function isBlocked(server, handle) {
  const { blockList } = server[kSettings];
  if (blockList === undefined) return false;
  const { address, family } = handle.getpeername();
  if (address === undefined) return false; // The client has disconnected already.
  try {
    return blockList.check(address, family.toLowerCase());
  } catch (error) {
    handle.close();
    throw error;
  }
}

function refuse(server, handle, data) {
  handle.close();
  if (data === undefined) {
    server.emit('drop');
  } else {
    server.emit('drop', data);
  }
}

function tcpNames(handle) {
  const local = handle.getsockname();
  const remote = handle.getpeername();
  return {
    localAddress: local.address,
    localPort: local.port,
    localFamily: local.family,
    remoteAddress: remote.address,
    remotePort: remote.port,
    remoteFamily: remote.family,
  };
}

// Returns the credentials of a peer that `allowPeer` turns away, else undefined. If they
// cannot be read, or the function throws, the peer is refused.
function refusedPeer(server, handle, isTcp) {
  const { allowPeer } = server[kSettings];
  if (allowPeer === undefined || isTcp) return undefined;
  try {
    const peer = peerCredentials(handle.fd);
    return allowPeer(peer) === true ? undefined : { peer };
  } catch (error) {
    handle.close();
    throw error;
  }
}

// Normalises the options again only if one of the server's properties was changed.
function acceptedOptions(server) {
  const { allowHalfOpen, pauseOnConnect, highWaterMark } = server;
  const last = server[kAccepted];
  if (
    last?.allowHalfOpen === allowHalfOpen &&
    last.pauseOnConnect === pauseOnConnect &&
    last.highWaterMark === highWaterMark
  ) {
    return last.options;
  }
  const options = acceptedSocketOptions(server, server[kSettings].descriptors);
  server[kAccepted] = { allowHalfOpen, pauseOnConnect, highWaterMark, options };
  return options;
}

function newSocket(server, handle) {
  const socket = new Socket({ ...acceptedOptions(server), handle });
  applyOptionsOf(server, socket);
  return socket;
}

function serve(server, handle) {
  const socket = orError(server, handle, () => newSocket(server, handle));
  if (socket === undefined) return;
  server._connections++;
  socket.server = server;
  socket._server = server;
  server.emit('connection', socket);
  // An http server that got the socket sets itself as its `server`, and has options too.
  if (socket.server !== server) applyOptionsOf(socket.server, socket);
  connectionAccepted(socket);
}

function applyOptionsOf(server, socket) {
  if (server?.noDelay) socket.setNoDelay(true);
  if (server?.keepAlive) socket.setKeepAlive(true, server.keepAliveInitialDelay * 1000);
}

// Closing.

Server.prototype.close = function close(callback) {
  const isRunning = this._handle !== null || this[kAttempt]?.isPending === true;
  this[kAttempt]?.cancel();
  if (typeof callback === 'function') {
    this.once('close', isRunning ? callback : () => callback(plain('ERR_SERVER_NOT_RUNNING')));
  }
  if (this._handle) {
    closeListener(this, this._handle);
    forgetFile(this._handle);
    this._handle = null;
  }
  if (this._usingWorkers) awaitWorkers(this);
  else this._emitCloseIfDrained();
  return this;
};

// The listener's own 'close' comes after the connections that it has accepted.
function closeListener(server, listener) {
  if (!listener.hasUnread()) {
    listener.close();
    return;
  }
  server[kDelivering] += 1;
  listener.close(() => {
    server[kDelivering] -= 1;
    server._emitCloseIfDrained();
  });
}

Server.prototype._emitCloseIfDrained = function () {
  if (this._handle || this._connections > 0 || this[kDelivering] > 0) return;
  process.nextTick(() => this.emit('close'));
};

Server.prototype[Symbol.asyncDispose] = async function () {
  if (!this._handle) return;
  await new Promise((resolve, reject) => this.close((error) => (error ? reject(error) : resolve(undefined))));
};

Server.prototype[Symbol.for('nodejs.rejection')] = function (error, event, socket) {
  if (event === 'connection') {
    socket.destroy(error);
  } else {
    this.emit('error', error);
  }
};

Server.prototype[kLend] = function ({ keep }) {
  return lendListener(this._handle, { keep, close: () => this.close() });
};

// Address, connections, ref and unref.

/** The path or abstract name; { address, family, port } of TCP; null when not listening. */
Server.prototype.address = function address() {
  if (!this._handle) return null;
  if (this._pipeName !== undefined) return this._pipeName;
  const name = this._handle.getsockname();
  if (typeof name === 'number') throw errnoException(name, 'address');
  return name ?? null;
};

Server.prototype.getConnections = function getConnections(callback) {
  if (!this._usingWorkers) {
    process.nextTick(callback, null, this._connections);
  } else {
    countWithWorkers(this, callback);
  }
  return this;
};

Server.prototype._setupWorker = addWorker;

Object.defineProperty(Server.prototype, 'listening', {
  get() {
    return this._handle !== null;
  },
  configurable: true,
  enumerable: true,
});

Server.prototype.ref = function ref() {
  this._unref = false;
  this._handle?.ref();
  return this;
};

Server.prototype.unref = function unref() {
  this._unref = true;
  this._handle?.unref();
  return this;
};

module.exports = { Server, listenToSource };
