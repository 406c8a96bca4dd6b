'use strict';

// From a message to the payload of a frame, and back: the option `serialization`.
//
// `encode` gives a string (which the outbox writes straight into its batch), or bytes, or
// null for none, or a Plain, which the outbox puts into a frame of many. `decode` gets a
// range of bytes that are valid during the call only, or, if `isOwn`, for good.

const { isArrayBufferView, isUint8Array } = require('node:util').types;
const v8 = require('node:v8');

const { invalidArgType } = require('../base/errors.js');
const { plainCopy } = require('./records.js');

// A Buffer that owns exactly these bytes.
const copyOut = Uint8Array.prototype.slice;

const json = {
  number: 1,
  // JSON has no word for undefined, which travels as an empty payload.
  encode(message) {
    if (message === undefined) return null;
    const text = JSON.stringify(message);
    if (text === undefined) throw invalidArgType('message', ['object', 'string', 'number', 'boolean'], message);
    return text;
  },
  decode(bytes, start, end) {
    return start === end ? undefined : JSON.parse(bytes.toString('utf8', start, end));
  },
};

const advanced = {
  number: 2,
  encode: (message) => plainCopy(message) ?? v8.serialize(message),
  decode: (bytes, start, end) => v8.deserialize(bytes.subarray(start, end)),
};

const raw = {
  number: 3,
  encode(message) {
    if (message === undefined) return null;
    if (isUint8Array(message)) return message;
    if (!isArrayBufferView(message)) throw invalidArgType('message', ['Buffer', 'TypedArray', 'DataView'], message);
    return new Uint8Array(message.buffer, message.byteOffset, message.byteLength);
  },
  decode(bytes, start, end, isOwn) {
    return isOwn ? bytes.subarray(start, end) : copyOut.call(bytes, start, end);
  },
};

module.exports = { advanced, json, raw };
