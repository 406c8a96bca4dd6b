'use strict';

// net.Server: a Listener, and a Socket for each connection that it accepts.

const EventEmitter = require('node:events');
const dns = require('node:dns');
const fs = require('node:fs');

const { Listener, PipeWrap, TcpWrap } = require('../binding.js');
const { errnoException, listenException, plain } = require('../errors.js');
const { whenAborted } = require('./abort.js');
const { normalizeListenArgs, normalizeServerOptions } = require('./options.js');
const { forget, retryLater } = require('./overload.js');
const { allowDescriptors, descriptorHandle } = require('./passing.js');
const { peerCredentials } = require('./peer.js');
const { Socket } = require('./socket.js');
const { forgetFile, removeAtExit } = require('./socket_files.js');
const { kOwner } = require('./symbols.js');

const UV_EBUSY = -16;
const UV_EADDRINUSE = -98;

const LOCK_RETRY = 10; // Milliseconds between two attempts at a stale socket's lock,
const LOCK_PATIENCE = 2000; // and in all.

// What `maxConnections = 0` means changed with Node 21: before, it was no limit.
const ZERO_DROPS_ALL = Number.parseInt(process.versions.node, 10) >= 21;

const kSettings = Symbol('settings');
const kListenId = Symbol('listenId'); // Changes when a listen under way is void.
const kBinding = Symbol('binding'); // A listen is under way that has no handle yet.

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
  this[kListenId] = 0;
  this[kBinding] = false;
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

// Listening.

Server.prototype.listen = function listen(...args) {
  if (this._handle || this[kBinding]) throw plain('ERR_SERVER_ALREADY_LISTEN');
  const target = normalizeListenArgs(args);
  if (target.callback !== null) this.once('listening', target.callback);
  this[kListenId] += 1;
  this._pipeName = undefined;
  if (target.signal !== undefined) whenAborted(target.signal, this, () => this.close());
  LISTEN_ON[target.kind](this, target);
  return this;
};

const LISTEN_ON = {
  handle(server, { handle }) {
    listening(server, handle);
  },
  fd(server, { fd, backlog }) {
    const listener = new Listener();
    if (server[kSettings].descriptors !== null) allowDescriptors(fd, true);
    outcome(server, listener, listener.listenOnFd(fd, backlog), { address: null });
  },
  path(server, target) {
    server._pipeName = target.path;
    listenOnPath(server, target, Date.now() + LOCK_PATIENCE);
  },
  port(server, target) {
    if (target.host === undefined) {
      listenOnAnyAddress(server, target);
    } else {
      lookUpAndListen(server, target);
    }
  },
};

// Another process may be about to replace the same stale socket: its lock is waited for.
function listenOnPath(server, target, deadline) {
  const { path, mode, addMode, uid, gid, replaceStale, backlog } = target;
  const listener = new Listener();
  const descriptors = server[kSettings].descriptors !== null;
  const err = listener.listenOnPath({ path, mode, addMode, uid, gid, replaceStale, backlog, descriptors });
  server[kBinding] = err === UV_EBUSY && Date.now() < deadline;
  if (server[kBinding]) {
    const id = server[kListenId];
    setTimeout(() => {
      if (server[kListenId] === id) listenOnPath(server, target, deadline);
    }, LOCK_RETRY);
    return;
  }
  if (err === 0 && path[0] !== '\0') removeAtExit(listener);
  outcome(server, listener, err === UV_EBUSY ? UV_EADDRINUSE : err, { address: path, port: -1 });
}

// IPv6, which takes IPv4 clients too; IPv4 where there is none.
function listenOnAnyAddress(server, target) {
  const options = { ...target, address: '::' };
  let listener = new Listener();
  let err = listener.listenOnAddress(options);
  if (err !== 0) {
    options.address = '0.0.0.0';
    listener = new Listener();
    const ipv4Err = listener.listenOnAddress(options);
    // Where both fail it is the port that is taken: tell it of the one that was wanted.
    if (ipv4Err !== 0) options.address = '::';
    err = ipv4Err === 0 ? 0 : err;
  }
  outcome(server, listener, err, options);
}

function lookUpAndListen(server, target) {
  const id = server[kListenId];
  server[kBinding] = true;
  dns.lookup(target.host, (lookupErr, address) => {
    if (server[kListenId] !== id) return;
    server[kBinding] = false;
    if (lookupErr) {
      server.emit('error', lookupErr);
      return;
    }
    const listener = new Listener();
    const err = listener.listenOnAddress({ ...target, address });
    outcome(server, listener, err, { address, port: target.port });
  });
}

// What the kernel says comes in a later tick, good or bad.
function outcome(server, listener, err, { address, port }) {
  if (err === 0) {
    listening(server, listener);
  } else {
    process.nextTick(() => server.emit('error', listenException(err, address, port)));
  }
}

function listening(server, listener) {
  listener[kOwner] = server;
  listener.onconnection = onconnection;
  listener.isTcp = typeof listener.getsockname() === 'object';
  server._handle = listener;
  if (server._unref) listener.unref();
  process.nextTick(() => {
    if (server._handle === listener) server.emit('listening');
  });
}

// Accepting. From completions.js: a connection, or a negative errno.

function onconnection(status, fd) {
  const server = this[kOwner];
  if (status === 0) {
    this.wasOverloaded = false;
    admit(server, this, fd);
  } else if (fd === 1) {
    const isNews = this.wasOverloaded !== true;
    retryLater(this);
    if (isNews) server.emit('overload', errnoException(status, 'accept'));
  } else {
    server.emit('error', errnoException(status, 'accept'));
  }
}

function admit(server, listener, fd) {
  const { isTcp } = listener;
  const handle = isTcp ? new TcpWrap() : newPipe(server);
  const err = handle.open(fd);
  if (err !== 0) {
    fs.closeSync(fd);
    server.emit('error', errnoException(err, 'accept'));
    return;
  }
  if (isFull(server)) {
    refuse(server, handle, isTcp ? tcpNames(handle) : undefined);
    return;
  }
  const peer = refusedPeer(server, handle, isTcp);
  if (peer !== undefined) {
    refuse(server, handle, peer);
    return;
  }
  serve(server, handle);
}

function newPipe(server) {
  const { descriptors } = server[kSettings];
  return descriptors === null ? new PipeWrap() : descriptorHandle(descriptors);
}

function isFull({ maxConnections, _connections }) {
  if (maxConnections === 0) return ZERO_DROPS_ALL;
  return _connections >= maxConnections; // False where it is undefined.
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

// The credentials of a peer that `allowPeer` turns away. Where they cannot be had, or
// the function throws, nobody is let in.
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

function serve(server, handle) {
  const { descriptors } = server[kSettings];
  const socket = new Socket({
    handle,
    descriptors: descriptors !== null,
    allowHalfOpen: server.allowHalfOpen,
    pauseOnCreate: server.pauseOnConnect,
    readable: true,
    writable: true,
    readableHighWaterMark: server.highWaterMark,
    writableHighWaterMark: server.highWaterMark,
  });
  if (server.noDelay) socket.setNoDelay(true);
  if (server.keepAlive) socket.setKeepAlive(true, server.keepAliveInitialDelay * 1000);
  server._connections++;
  socket.server = server;
  socket._server = server;
  server.emit('connection', socket);
}

// Closing.

Server.prototype.close = function close(callback) {
  this[kListenId] += 1;
  const isRunning = this._handle !== null || this[kBinding];
  this[kBinding] = false;
  if (typeof callback === 'function') {
    this.once('close', isRunning ? callback : () => callback(plain('ERR_SERVER_NOT_RUNNING')));
  }
  if (this._handle) {
    forget(this._handle);
    this._handle.close();
    forgetFile(this._handle);
    this._handle = null;
  }
  this._emitCloseIfDrained();
  return this;
};

Server.prototype._emitCloseIfDrained = function () {
  if (this._handle || this._connections > 0) return;
  process.nextTick(() => this.emit('close'));
};

Server.prototype[Symbol.asyncDispose ?? Symbol.for('nodejs.asyncDispose')] = async function () {
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

// What there is to know about it.

/** The path or abstract name; { address, family, port } of TCP; null when not listening. */
Server.prototype.address = function address() {
  if (!this._handle) return null;
  if (this._pipeName !== undefined) return this._pipeName;
  const name = this._handle.getsockname();
  if (typeof name === 'number') throw errnoException(name, 'address');
  return name ?? null;
};

Server.prototype.getConnections = function getConnections(callback) {
  process.nextTick(callback, null, this._connections);
  return this;
};

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

module.exports = { Server };
