'use strict';

// Converts every call form of lib/net to one complete object. In the other files no option
// is missing, and none is checked again.

const { getDefaultHighWaterMark } = require('node:stream');
const { isUint8Array } = require('node:util').types;

const { MAX_DESCRIPTORS } = require('../base/constants.js');
const { invalidArgType, invalidArgValue, missingArgs } = require('../base/errors.js');
const {
  validateAbortSignal,
  validateBoolean,
  validateFunction,
  validateInt32,
  validateNumber,
  validateObject,
  validatePort,
  validateString,
} = require('../base/validate.js');
const { groupId, userId } = require('../base/accounts.js');
const { kDescriptors, kStopReading, kUserRead } = require('./symbols.js');

const DEFAULT_BACKLOG = 511; // As in Node; the kernel rounds it up and limits it (listen(2)).
const MAX_MODE = 0o7777;

const kNormalized = Symbol('normalizedArgs');

// A string of digits is a port.
const toNumber = (value) => (Number(value) >= 0 ? Number(value) : false);
const isPath = (value) => typeof value === 'string' && toNumber(value) === false;

/** Converts the arguments of connect() and listen() to [options, callback]; net._normalizeArgs. */
function normalizeArgs(args) {
  if (Array.isArray(args[0]) && args[0][kNormalized]) return args[0];
  const last = args.at(-1);
  const normalized = [optionsOf(args), typeof last === 'function' ? last : null];
  normalized[kNormalized] = true;
  return normalized;
}

function optionsOf([first, second]) {
  if (first === undefined) return arguments[0].length === 0 ? {} : { port: undefined };
  if (typeof first === 'object' && first !== null) return first;
  if (isPath(first)) return { path: first };
  const options = { port: first };
  if (typeof second === 'string') options.host = second;
  return options;
}

function checkObjectMode(options) {
  for (const name of ['objectMode', 'readableObjectMode', 'writableObjectMode']) {
    if (options[name]) throw invalidArgValue(`options.${name}`, options[name], 'is not supported');
  }
}

// The option is in milliseconds, the kernel takes seconds.
function keepAliveSeconds(options) {
  const delay = options.keepAliveInitialDelay;
  if (delay === undefined) return 0;
  validateNumber(delay, 'options.keepAliveInitialDelay');
  return Math.trunc(Math.max(delay, 0) / 1000);
}

function blockList(options) {
  const list = options.blockList;
  if (list === undefined || list === null) return undefined;
  if (typeof list.check !== 'function') throw invalidArgType('options.blockList', 'net.BlockList', list);
  return list;
}

const tcpOptions = (options) => ({
  noDelay: Boolean(options.noDelay),
  keepAlive: Boolean(options.keepAlive),
  keepAliveSeconds: keepAliveSeconds(options),
});

function typeOfService(options) {
  if (options.typeOfService !== undefined) validateInt32(options.typeOfService, 'options.typeOfService', 0, 255);
  return options.typeOfService;
}

// Accepts { buffer, callback }: `buffer` is a Uint8Array, or a function that returns one
// for each read.
function userRead(onread) {
  if (onread === null || typeof onread !== 'object' || typeof onread.callback !== 'function') return null;
  const { buffer, callback } = onread;
  if (typeof buffer === 'function') return { buffer: null, nextBuffer: buffer, callback };
  return isUint8Array(buffer) ? { buffer, nextBuffer: null, callback } : null;
}

// Returns { maxDescriptors }, or null if the option `descriptors` is not set.
function descriptorOptions({ descriptors, maxDescriptors }) {
  if (descriptors !== undefined) validateBoolean(descriptors, 'options.descriptors');
  if (maxDescriptors !== undefined) validateInt32(maxDescriptors, 'options.maxDescriptors', 1, MAX_DESCRIPTORS);
  return descriptors === true ? { maxDescriptors } : null;
}

/** Converts the argument of `new Socket()`. Returns normalised options unchanged. */
function normalizeSocketOptions(options) {
  if (options?.[kNormalized]) return options;
  const given = typeof options === 'number' ? { fd: options } : { ...options };
  checkObjectMode(given);
  if (given.signal) validateAbortSignal(given.signal, 'signal');
  return {
    stream: {
      ...given,
      allowHalfOpen: Boolean(given.allowHalfOpen),
      emitClose: false, // The socket emits 'close' itself, when the handle is closed.
      autoDestroy: true,
      decodeStrings: false,
      signal: undefined,
    },
    handle: given.handle,
    fd: given.handle ? undefined : given.fd,
    onread: userRead(given.onread),
    tcp: { ...tcpOptions(given), typeOfService: typeOfService(given) },
    blockList: blockList(given),
    signal: given.signal || undefined,
    descriptors: descriptorOptions(given),
    pauseOnCreate: Boolean(given.pauseOnCreate),
    manualStart: Boolean(given.manualStart),
  };
}

// Throws for a value that a stream would refuse: later, the refusal would cost a connection.
function highWaterMark(value) {
  if (value === undefined) return getDefaultHighWaterMark(false);
  validateNumber(value, 'options.highWaterMark');
  if (value < 0) return getDefaultHighWaterMark(false);
  if (!Number.isInteger(value)) throw invalidArgValue('options.highWaterMark', value);
  return value;
}

/** Returns the options of the sockets that a server accepts; the caller adds the handle. */
function acceptedSocketOptions({ allowHalfOpen, pauseOnConnect, highWaterMark: bytes }, descriptors) {
  const options = normalizeSocketOptions({
    allowHalfOpen,
    descriptors: descriptors !== null,
    pauseOnCreate: pauseOnConnect,
    readable: true,
    writable: true,
    readableHighWaterMark: bytes,
    writableHighWaterMark: bytes,
  });
  return Object.assign(options, { [kNormalized]: true });
}

/** Converts the arguments of `new Server()` to { settings, listener }. */
function normalizeServerOptions(options, listener) {
  if (typeof options === 'function') return normalizeServerOptions({}, options);
  if (options !== undefined && options !== null && typeof options !== 'object') {
    throw invalidArgType('options', 'Object', options);
  }
  const given = { ...options };
  if (given.allowPeer !== undefined) validateFunction(given.allowPeer, 'options.allowPeer');
  const settings = {
    allowHalfOpen: given.allowHalfOpen || false,
    pauseOnConnect: Boolean(given.pauseOnConnect),
    descriptors: descriptorOptions(given),
    highWaterMark: highWaterMark(given.highWaterMark),
    allowPeer: given.allowPeer,
    blockList: blockList(given),
    ...tcpOptions(given),
  };
  return { settings, listener: typeof listener === 'function' ? listener : undefined };
}

// The target of connect().

/**
 * Converts the options of connect() to { path } or { host, port, … }.
 *
 * @returns {{ path?: string, host?: string, port?: number, localAddress?: string, localPort?: number, family?: any,
 *   hints?: number, lookup?: any, autoSelectFamily?: boolean, autoSelectFamilyAttemptTimeout?: number }}
 */
function normalizeConnectOptions(options) {
  if (options.port === undefined && (options.path === undefined || options.path === null)) {
    throw missingArgs(['options', 'port', 'path']);
  }
  if (!options.path) return { path: undefined, ...tcpTarget(options) };
  validateString(options.path, 'options.path');
  return { path: options.path };
}

function tcpTarget(options) {
  const { localAddress, localPort, port, lookup, autoSelectFamily, autoSelectFamilyAttemptTimeout } = options;
  if (options.host) validateString(options.host, 'options.host');
  if (localPort) validateNumber(localPort, 'options.localPort');
  if (port !== undefined) {
    if (typeof port !== 'number' && typeof port !== 'string') {
      throw invalidArgType('options.port', ['number', 'string'], port);
    }
    validatePort(port);
  }
  if (autoSelectFamily !== undefined && autoSelectFamily !== null) {
    validateBoolean(autoSelectFamily, 'options.autoSelectFamily');
  }
  if (autoSelectFamilyAttemptTimeout !== undefined && autoSelectFamilyAttemptTimeout !== null) {
    validateInt32(autoSelectFamilyAttemptTimeout, 'options.autoSelectFamilyAttemptTimeout', 1);
  }
  if (lookup !== undefined && lookup !== null) validateFunction(lookup, 'options.lookup');
  return {
    host: options.host || 'localhost',
    port: port | 0,
    localAddress,
    localPort,
    family: options.family,
    hints: options.hints || 0,
    lookup,
    autoSelectFamily,
    autoSelectFamilyAttemptTimeout,
  };
}

// The target of listen().

/**
 * @typedef {{ kind: 'path', path: string, mode?: number, addMode: number, uid?: number, gid?: number,
 *   replaceStale: boolean }} PathTarget
 * @typedef {{ kind: 'port', port: number, host?: string, ipv6Only: boolean, reusePort: boolean }} PortTarget
 * @typedef {{ kind: 'handle', handle: any } | { kind: 'fd', fd: number } | PathTarget | PortTarget} ListenTarget
 */

/**
 * Converts the arguments of listen() to a target with backlog, signal and callback.
 *
 * @returns {Readonly<ListenTarget & { given: any, backlog: number, signal?: AbortSignal, callback: any }>}
 */
function normalizeListenArgs(args) {
  const [given, callback] = normalizeArgs(args);
  const options = given._handle || given.handle || given;
  const backlog = options.backlog || toNumber(args.length > 1 && args[1]) || toNumber(args.length > 2 && args[2]);
  if (options.signal !== undefined) validateAbortSignal(options.signal, 'options.signal');
  const common = { given, backlog: backlog || DEFAULT_BACKLOG, signal: options.signal, callback };
  return Object.freeze({ ...common, ...listenTarget(args, options) });
}

/** @returns {ListenTarget} */
function listenTarget(args, options) {
  if (typeof options.listenOnFd === 'function') return { kind: 'handle', handle: options };
  if (typeof options.fd === 'number' && options.fd >= 0) return { kind: 'fd', fd: options.fd };
  const anyPort =
    args.length === 0 ||
    typeof args[0] === 'function' ||
    (options.port === undefined && 'port' in options) ||
    options.port === null;
  const port = anyPort ? 0 : options.port;
  if (typeof port === 'number' || typeof port === 'string') return portTarget(options, port);
  if (options.path && isPath(options.path)) return pathTarget(options);
  if (!('port' in options) && !('path' in options)) {
    throw invalidArgValue('options', options, 'must have the property "port" or "path"');
  }
  throw invalidArgValue('options', options);
}

/** @returns {PortTarget} */
function portTarget(options, port) {
  validatePort(port, 'options.port');
  return {
    kind: 'port',
    port: port | 0,
    host: options.host || undefined,
    ipv6Only: options.ipv6Only === true,
    reusePort: options.reusePort === true,
  };
}

// Accepts a number, or a string of octal digits as in chmod(1).
function parseMode(mode) {
  if (mode === undefined || mode === null) return undefined;
  if (typeof mode !== 'string') {
    if (typeof mode !== 'number') throw invalidArgType('options.mode', ['number', 'string'], mode);
    validateInt32(mode, 'options.mode', 0, MAX_MODE);
    return mode;
  }
  if (!/^[0-7]{1,4}$/.test(mode)) throw invalidArgValue('options.mode', mode, 'must be an octal number up to 7777');
  return parseInt(mode, 8);
}

const ifGiven = (value, convert) => (value === undefined || value === null ? undefined : convert(value));

function pathTarget(options) {
  const { path } = options;
  /** @type {PathTarget} */
  const target = {
    kind: 'path',
    path,
    mode: parseMode(options.mode),
    addMode: (options.readableAll === true ? 0o444 : 0) | (options.writableAll === true ? 0o222 : 0),
    uid: ifGiven(options.owner, (owner) => userId(owner, 'options.owner')),
    gid: ifGiven(options.group, (group) => groupId(group, 'options.group')),
    replaceStale: options.replaceStale === true,
  };
  checkPathTarget(target, options);
  return target;
}

function checkPathTarget(target, options) {
  if (target.path[0] === '\0') {
    if (options.readableAll || options.writableAll) {
      const text = 'can not set readableAll or writableAllt to true when path is abstract unix socket'; // Node's spelling.
      throw invalidArgValue('options', options, text);
    }
    const ofFiles = ['mode', 'owner', 'group', 'replaceStale'];
    const given = ofFiles.find((name) => options[name]);
    if (given !== undefined) {
      throw invalidArgValue('options', options, `can not set ${given} when path is abstract unix socket`);
    }
  }
  if (target.mode !== undefined && target.addMode !== 0) {
    throw invalidArgValue('options', options, 'can not have readableAll or writableAll beside mode');
  }
}

/** Arguments of pump(). @returns {any} { from, to, end, signal } */
function normalizePumpArgs(from, to, options = {}) {
  for (const [name, socket] of Object.entries({ from, to })) {
    if (typeof socket?.[kStopReading] !== 'function') throw invalidArgType(name, 'Socket', socket);
  }
  // It would lose descriptors, decoded characters, or what the program wants to see in its buffer.
  if (from[kDescriptors] !== null) throw invalidArgValue('from', from, 'must not receive descriptors');
  if (from.readableEncoding !== null) throw invalidArgValue('from', from, 'must not have an encoding');
  if (from[kUserRead] !== null) throw invalidArgValue('from', from, 'must not have the option onread');
  validateObject(options, 'options');
  const { end = true, signal } = options;
  validateBoolean(end, 'options.end');
  if (signal !== undefined) validateAbortSignal(signal, 'options.signal');
  return { from, to, end, signal };
}

module.exports = {
  acceptedSocketOptions,
  normalizeArgs,
  normalizeConnectOptions,
  normalizeListenArgs,
  normalizePumpArgs,
  normalizeServerOptions,
  normalizeSocketOptions,
};
