'use strict';

// socket.connect(): connects to a path at once, or to a host after finding its addresses.

const dns = require('node:dns');
const net = require('node:net');

const { inThisContext } = require('../base/async_scope.js');
const { PipeWrap, TcpWrap } = require('../base/binding.js');
const { UV_ETIMEDOUT } = require('../base/constants.js');
const {
  aggregate,
  connectException,
  invalidAddressFamily,
  invalidIpAddress,
  ipBlocked,
  plain,
} = require('../base/errors.js');
const { clientCreated } = require('./diagnostics.js');
const { normalizeArgs, normalizeConnectOptions } = require('./options.js');
const { descriptorHandle } = require('./passing.js');
const { kDescriptors, kFresh } = require('./symbols.js');
const { applyTcpOptions } = require('./tcp_options.js');
const { refreshTimer } = require('./timeout.js');

const MIN_ATTEMPT_TIMEOUT = 10; // Milliseconds, as in Node.

/** Implements socket.connect(). `attachHandle(socket)` makes a new socket._handle the socket's own. */
function connect(socket, args, attachHandle) {
  const [options, callback] = normalizeArgs(args);
  if (callback !== null) socket.once('connect', callback);
  if (socket._parent?.connecting) return socket;
  const target = normalizeConnectOptions(options);
  if (target.localAddress && !net.isIP(target.localAddress)) throw invalidIpAddress(target.localAddress);
  clientCreated(socket);
  if (socket.destroyed) {
    socket._handle = null;
    socket._peername = null;
    socket._sockname = null;
  }
  if (!socket._handle) {
    socket._handle = newHandle(socket, target);
    attachHandle(socket);
  }
  refreshTimer(socket);
  socket.connecting = true;
  socket[kFresh] = false;
  if (target.path === undefined) {
    connectToHost(socket, target, attachHandle);
  } else {
    connectToPath(socket, target.path);
  }
  return socket;
}

function newHandle(socket, target) {
  if (target.path === undefined) return new TcpWrap();
  return socket[kDescriptors] === null ? new PipeWrap() : descriptorHandle(socket[kDescriptors]);
}

function connectToPath(socket, path) {
  const handle = socket._handle;
  awaitConnect(handle, 'PIPECONNECTWRAP', (status) => afterConnect(socket, status, { address: path }));
  const err = handle.connect(path);
  if (err !== 0) socket.destroy(connectException(err, path));
}

// `done(status)` runs in the context of this connect(), not in the handle's.
function awaitConnect(handle, type, done) {
  handle.onconnect = inThisContext(type, (status) => {
    handle.onconnect = undefined;
    done(status);
  });
}

function afterConnect(socket, status, target) {
  if (socket.destroyed) return;
  socket.connecting = false;
  socket._sockname = null;
  if (status !== 0) {
    socket.destroy(connectError(status, target));
    return;
  }
  refreshTimer(socket);
  applyTcpOptions(socket);
  socket.emit('connect');
  socket.emit('ready');
  // Starts the first read, or finds the end at once; takes no bytes.
  if (!socket.isPaused()) socket.read(0);
}

function connectError(status, { address, port, localAddress, localPort }) {
  const local = localAddress && localPort ? `${localAddress}:${localPort}` : undefined;
  const error = connectException(status, address, port, local);
  return local === undefined ? error : Object.assign(error, { localAddress, localPort });
}

// Hosts. A literal address is used as it is. A name is looked up; if it has several
// addresses, they are tried in turn.

function connectToHost(socket, target, attachHandle) {
  const family = net.isIP(target.host);
  if (family !== 0) {
    process.nextTick(() => {
      if (socket.connecting) connectToAddress(socket, { ...target, address: target.host, family });
    });
    return;
  }
  socket._host = target.host;
  const lookup = target.lookup ?? dns.lookup;
  const query = lookupOptions(target);
  if (query.all) {
    lookup(target.host, query, (err, addresses) => onLookupAll(socket, target, err, addresses, attachHandle));
  } else {
    lookup(target.host, query, (err, address, found) => onLookup(socket, target, err, address, found));
  }
}

function lookupOptions({ family, hints, localAddress, autoSelectFamily }) {
  const wanted = { IPv4: 4, IPv6: 6 }[family] ?? family;
  const isFixed = wanted === 4 || wanted === 6;
  const options = { family: wanted, hints: hints === 0 && !isFixed ? dns.ADDRCONFIG : hints };
  if (!isFixed && !localAddress && (autoSelectFamily ?? net.getDefaultAutoSelectFamily())) options.all = true;
  return options;
}

// Fails in the next tick, after the caller of net.connect() could add listeners.
function failSoon(socket, error) {
  process.nextTick(() => socket.destroy(error));
}

function checkAddress(address, family, { host, port }) {
  if (!net.isIP(address)) return invalidIpAddress(address);
  if (family !== 4 && family !== 6) return invalidAddressFamily(family, host, port);
  return undefined;
}

function onLookup(socket, target, err, address, family) {
  socket.emit('lookup', err, address, family, target.host);
  if (!socket.connecting) return;
  const error = err ?? checkAddress(address, family, target);
  if (error) {
    failSoon(socket, error);
    return;
  }
  refreshTimer(socket);
  connectToAddress(socket, { ...target, address, family });
}

// Binds our end before connect(2), if an option says so. Returns 0 or a negative errno.
function bindLocal(handle, { family, localAddress, localPort }) {
  if (!localAddress && !localPort) return 0;
  const any = family === 6 ? '::' : '0.0.0.0';
  return handle.bind(localAddress || any, localPort | 0);
}

const isBlocked = (socket, address, family) => socket.blockList?.check(address, `ipv${family}`) === true;

function connectToAddress(socket, target) {
  const { address, port, family } = target;
  const handle = socket._handle;
  if (isBlocked(socket, address, family)) {
    failSoon(socket, ipBlocked(address));
    return;
  }
  const bindErr = bindLocal(handle, target);
  if (bindErr !== 0) {
    const { localAddress, localPort } = target;
    socket.destroy(connectException(bindErr, localAddress, localPort, undefined, 'bind'));
    return;
  }
  socket.emit('connectionAttempt', address, port, family);
  if (!socket.connecting) return;
  awaitConnect(handle, 'TCPCONNECTWRAP', (status) => afterConnect(socket, status, target));
  const err = handle.connect(address, port);
  if (err !== 0) socket.destroy(connectError(err, target));
}

// Several addresses: the families alternate, starting with that of the first address.

function onLookupAll(socket, target, err, addresses, attachHandle) {
  if (!socket.connecting) return;
  if (err) {
    socket.emit('lookup', err, undefined, undefined, target.host);
    failSoon(socket, err);
    return;
  }
  for (const { address, family } of addresses) {
    socket.emit('lookup', null, address, family, target.host);
    if (!socket.connecting) return;
  }
  const candidates = interleave(addresses.filter(({ address, family }) => !checkAddress(address, family, target)));
  if (candidates.length === 0) {
    failSoon(socket, checkAddress(addresses[0].address, addresses[0].family, target));
  } else if (candidates.length === 1) {
    refreshTimer(socket);
    connectToAddress(socket, { ...target, ...candidates[0] });
  } else {
    refreshTimer(socket);
    socket.autoSelectFamilyAttemptedAddresses = [];
    new Attempts(socket, target, candidates, attachHandle).next();
  }
}

function interleave(addresses) {
  const unique = addresses.filter((each, i) => addresses.findIndex((other) => other.address === each.address) === i);
  const [first] = unique;
  const same = unique.filter(({ family }) => family === first.family);
  const other = unique.filter(({ family }) => family !== first.family);
  const candidates = [];
  for (let i = 0; i < Math.max(same.length, other.length); i++) {
    if (i < same.length) candidates.push(same[i]);
    if (i < other.length) candidates.push(other[i]);
  }
  return candidates;
}

// Tries one address after another, each with a timeout, until one accepts.
class Attempts {
  constructor(socket, target, candidates, attachHandle) {
    this.socket = socket;
    this.target = target;
    this.candidates = candidates;
    this.attachHandle = attachHandle;
    this.errors = [];
    this.current = -1;
    const asked = target.autoSelectFamilyAttemptTimeout ?? net.getDefaultAutoSelectFamilyAttemptTimeout();
    this.timeout = Math.max(asked, MIN_ATTEMPT_TIMEOUT);
  }

  next() {
    const { socket } = this;
    if (!socket.connecting) return;
    this.current += 1;
    if (this.current === this.candidates.length) {
      socket.destroy(this.errors.length === 0 ? plain('ERR_SOCKET_CONNECTION_TIMEOUT') : aggregate(this.errors));
      return;
    }
    if (this.current > 0) this.renewHandle();
    this.attempt({ ...this.target, ...this.candidates[this.current] });
  }

  renewHandle() {
    this.socket._handle?.close();
    this.socket._handle = new TcpWrap();
    this.attachHandle(this.socket);
  }

  attempt(target) {
    const { socket } = this;
    const { address, port, family } = target;
    const handle = socket._handle;
    if (isBlocked(socket, address, family)) {
      this.errors.push(ipBlocked(address));
      this.next();
      return;
    }
    const bindErr = bindLocal(handle, target);
    if (bindErr !== 0) {
      this.errors.push(connectException(bindErr, target.localAddress, target.localPort, undefined, 'bind'));
      this.next();
      return;
    }
    socket.emit('connectionAttempt', address, port, family);
    if (!socket.connecting) return;
    socket.autoSelectFamilyAttemptedAddresses.push(`${address}:${port}`);
    awaitConnect(handle, 'TCPCONNECTWRAP', (status) => this.onOutcome(handle, target, status));
    const err = handle.connect(address, port);
    if (err !== 0) {
      this.fail(target, err);
    } else if (this.current < this.candidates.length - 1) {
      this.timer = setTimeout(() => this.onTimeout(handle, target), this.timeout);
    }
  }

  onOutcome(handle, target, status) {
    if (this.socket._handle !== handle) return; // This attempt has timed out.
    clearTimeout(this.timer);
    if (status === 0) {
      afterConnect(this.socket, 0, target);
    } else {
      this.fail(target, status);
    }
  }

  fail(target, status) {
    const error = connectError(status, target);
    this.errors.push(error);
    this.socket.emit('connectionAttemptFailed', target.address, target.port, target.family, error);
    this.next();
  }

  onTimeout(handle, target) {
    const { socket } = this;
    socket.emit('connectionAttemptTimeout', target.address, target.port, target.family);
    this.errors.push(connectError(UV_ETIMEDOUT, target));
    handle.onconnect = undefined;
    handle.close();
    this.next();
  }
}

module.exports = { connect };
