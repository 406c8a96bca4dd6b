'use strict';

// The arguments of Channel, in complete, frozen objects.

const { MAX_FRAME_DESCRIPTORS } = require('./framing.js');
const { MAX_TIMER } = require('../base/constants.js');
const { invalidArgType, outOfRange } = require('../base/errors.js');
const {
  validateAbortSignal,
  validateBoolean,
  validateInteger,
  validateNumber,
  validateObject,
  validateOneOf,
} = require('../base/validate.js');

// A frame's length is a u32 in which an id has its place, and a Buffer has a limit too.
const MAX_MESSAGE_BYTES = 2 ** 31 - 1;

const DEFAULTS = Object.freeze({
  serialization: 'json',
  maxMessageBytes: 64 * 1024 * 1024,
  maxDescriptors: MAX_FRAME_DESCRIPTORS,
  highWaterMark: 256 * 1024,
});

const NAMES = Object.keys(DEFAULTS);

/** @throws ERR_INVALID_ARG_TYPE, ERR_INVALID_ARG_VALUE, ERR_OUT_OF_RANGE */
function normalizeChannelOptions(given = {}) {
  validateObject(given, 'options');
  const options = { ...DEFAULTS };
  for (const name of NAMES) {
    const value = given[name];
    if (value !== undefined) options[name] = value;
  }
  validateOneOf(options.serialization, 'options.serialization', ['json', 'advanced', 'raw']);
  validateInteger(options.maxMessageBytes, 'options.maxMessageBytes', 1, MAX_MESSAGE_BYTES);
  validateInteger(options.maxDescriptors, 'options.maxDescriptors', 0, MAX_FRAME_DESCRIPTORS);
  validateInteger(options.highWaterMark, 'options.highWaterMark', 1, Number.MAX_SAFE_INTEGER);
  return Object.freeze(options);
}

/** Splits what listen() and connect() get into what is the channels' and the rest. */
function splitOptions(given) {
  const target = typeof given === 'string' ? { path: given } : given;
  validateObject(target, 'options');
  const channel = {};
  const rest = { ...target };
  for (const name of NAMES) {
    channel[name] = rest[name];
    // net has an option of this name too, which is not meant.
    delete rest[name];
  }
  return { channelOptions: normalizeChannelOptions(channel), rest };
}

/** Descriptors of a message, and whether ours stay open. Null for none. */
function normalizeDescriptors(list) {
  if (list === undefined || list === null) return null;
  if (typeof list[Symbol.iterator] !== 'function' || typeof list === 'string') {
    throw invalidArgType('descriptors', 'Array', list);
  }
  const items = [];
  for (const item of list) {
    // An iterable may have no end.
    if (items.push(item) > MAX_FRAME_DESCRIPTORS)
      throw outOfRange('descriptors.length', `<= ${MAX_FRAME_DESCRIPTORS}`, items.length);
  }
  return items.length === 0 ? null : items;
}

/** @throws ERR_INVALID_ARG_TYPE */
function isKept(options) {
  if (options === undefined) return false;
  validateObject(options, 'options');
  if (options.keep === undefined) return false;
  validateBoolean(options.keep, 'options.keep');
  return options.keep;
}

// The signal is listened to, so an object with `aborted` is not enough.
function validateSignal(signal) {
  if (signal === undefined) return;
  validateAbortSignal(signal, 'options.signal');
  if (typeof signal.addEventListener !== 'function' || typeof signal.removeEventListener !== 'function') {
    throw invalidArgType('options.signal', 'AbortSignal', signal);
  }
}

const NO_REQUEST_OPTIONS = Object.freeze({ timeout: 0, signal: undefined, descriptors: null, keep: false });

/** timeout: 0 is none. @throws ERR_INVALID_ARG_TYPE, ERR_OUT_OF_RANGE */
function normalizeRequestOptions(options) {
  if (options === undefined) return NO_REQUEST_OPTIONS;
  validateObject(options, 'options');
  const { timeout = 0, signal, descriptors } = options;
  validateNumber(timeout, 'options.timeout', 0, MAX_TIMER);
  validateSignal(signal);
  return { timeout, signal, descriptors: normalizeDescriptors(descriptors), keep: isKept(options) };
}

module.exports = {
  isKept,
  normalizeChannelOptions,
  normalizeDescriptors,
  normalizeRequestOptions,
  splitOptions,
  validateSignal,
};
