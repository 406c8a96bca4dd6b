'use strict';

// Converts the arguments of createSocket() and of send() to one complete, frozen object each.

const { isUint8Array } = require('node:util').types;

const { Descriptor } = require('../fd/descriptor.js');
const { MAX_DESCRIPTORS } = require('../base/constants.js');
const { invalidArgType, outOfRange } = require('../base/errors.js');
const {
  validateAbortSignal,
  validateBoolean,
  validateInteger,
  validateOneOf,
  validateString,
} = require('../base/validate.js');

const SOCKET_DEFAULTS = Object.freeze({
  type: 'datagram',
  socket: null,
  credentials: false,
  descriptors: false,
  maxDescriptors: MAX_DESCRIPTORS,
  signal: null,
});

/** Converts the argument of createSocket(). */
function normalizeSocketOptions(given) {
  const shaped = typeof given === 'string' ? { type: given } : given;
  if (shaped !== undefined && (typeof shaped !== 'object' || shaped === null)) {
    throw invalidArgType('options', ['string', 'Object'], given);
  }
  const options = { ...SOCKET_DEFAULTS, ...shaped };
  validateOneOf(options.type, 'options.type', ['datagram', 'seqpacket']);
  validateBoolean(options.credentials, 'options.credentials');
  validateBoolean(options.descriptors, 'options.descriptors');
  validateInteger(options.maxDescriptors, 'options.maxDescriptors', 1, MAX_DESCRIPTORS);
  if (options.signal !== null) validateAbortSignal(options.signal, 'options.signal');
  const { socket } = options;
  return Object.freeze({ ...options, given: socket, socket: socket === null ? null : Descriptor.from(socket) });
}

const SEND_DEFAULTS = Object.freeze({ path: undefined, descriptors: [], keep: false });

/** Converts the arguments of send(), except the callback. */
function normalizeSend(message, given) {
  const shaped = typeof given === 'string' ? { path: given } : given;
  const options = { ...SEND_DEFAULTS, ...shaped };
  if (options.path !== undefined) validateString(options.path, 'options.path');
  validateBoolean(options.keep, 'options.keep');
  if (!Array.isArray(options.descriptors)) throw invalidArgType('options.descriptors', 'Array', options.descriptors);
  if (options.descriptors.length > MAX_DESCRIPTORS) {
    throw outOfRange('options.descriptors.length', `<= ${MAX_DESCRIPTORS}`, options.descriptors.length);
  }
  return Object.freeze({ ...options, bytes: toBytes(message) });
}

function toBytes(message) {
  if (typeof message === 'string') return Buffer.from(message);
  if (isUint8Array(message)) return message;
  if (Array.isArray(message)) return Buffer.concat(message.map(toBytes));
  throw invalidArgType('message', ['string', 'Buffer', 'Uint8Array', 'Array'], message);
}

/** Converts the argument of bind() and connect(), a path or { path }, to a path. */
function normalizeName(target) {
  const path = typeof target === 'object' && target !== null ? target.path : target;
  validateString(path, 'path');
  return path;
}

module.exports = { normalizeName, normalizeSend, normalizeSocketOptions };
