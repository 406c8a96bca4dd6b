'use strict';

// Many small messages of serialization 'advanced' in one frame: a v8.Serializer costs more
// than what it does for one of them.
//
// A Serializer writes an object that it has seen before as a reference to the first time.
// Between two messages that would be wrong: what was changed meanwhile would not be seen. So
// what it gets is a copy, made when the message is sent. plainCopy() makes one of what JSON
// could say, too; all else has a Serializer and a frame of its own.

const v8 = require('node:v8');

const { channelProtocol, messageTooLarge } = require('../base/errors.js');
const { HEADER, MESSAGE, REPLY, hasId, readU32, writeHeader, writeU32 } = require('./framing.js');

const COUNT = 4; // Bytes of the number of records, before the first one.
const PLACE = Buffer.alloc(HEADER + COUNT);

const RECORD = 8; // Bytes of a record's kind and id.
const MAX_SIZE = 4096; // Estimated bytes of a message, which are never fewer than it takes.
const MAX_OBJECTS = 16; // In a message.
const FULL = 32 * 1024; // Estimated bytes at which a frame is sent: with one more message it is within MAX_RECORDS_BYTES.

/** A copy that no other message shares an object with. */
class Plain {
  #isOurs = true;

  constructor(value, size) {
    this.value = value;
    this.size = size;
  }

  static isPlain(value) {
    return typeof value === 'object' && value !== null && #isOurs in value;
  }

  /** Its payload in a frame of its own. */
  serialize() {
    return v8.serialize(this.value);
  }
}

/** A Plain of primitives, plain objects and arrays, unless it is large; else undefined. */
function plainCopy(value) {
  const state = { left: MAX_SIZE, seen: [] };
  const copy = copyOf(value, state);
  return state.left < 0 ? undefined : new Plain(copy, MAX_SIZE - state.left + RECORD);
}

// Sets state.left below 0 if there can be no copy.
function copyOf(value, state) {
  switch (typeof value) {
    case 'string':
      state.left -= value.length * 2 + 8;
      return value;
    case 'number':
    case 'boolean':
    case 'undefined':
      state.left -= 12;
      return value;
    case 'object':
      state.left -= 12;
      return value === null ? null : copyOfObject(value, state);
    default:
      state.left = -1;
      return undefined;
  }
}

function copyOfObject(object, state) {
  const prototype = Object.getPrototypeOf(object);
  const isArray = Array.isArray(object);
  // An object that a message has twice must arrive as one.
  const isFirst = !state.seen.includes(object) && state.seen.push(object) <= MAX_OBJECTS;
  const isPlain = isArray ? prototype === Array.prototype : prototype === Object.prototype || prototype === null;
  if (!isFirst || !isPlain) {
    state.left = -1;
    return undefined;
  }
  return isArray ? copyOfArray(object, state) : copyOfPlainObject(object, state);
}

function copyOfPlainObject(object, state) {
  const copy = { ...object };
  for (const key of Object.keys(copy)) {
    if (state.left < 0) return undefined;
    state.left -= key.length * 2 + 4;
    const value = copy[key];
    const own = copyOf(value, state);
    if (own !== value) copy[key] = own;
  }
  return copy;
}

// Not one with holes, or with names for more than its elements.
function copyOfArray(array, state) {
  const copy = [];
  const { length } = array;
  if (length > MAX_SIZE || Object.keys(array).length !== length) state.left = -1;
  for (let i = 0; i < length && state.left >= 0; i++) {
    if (!Object.hasOwn(array, i)) state.left = -1;
    else copy.push(copyOf(array[i], state));
  }
  return copy;
}

/** A frame of many messages, requests and replies. */
class RecordsWriter {
  #serializer = new v8.Serializer();
  #count = 0;
  #size = 0;

  constructor() {
    this.#serializer.writeRawBytes(PLACE);
    this.#serializer.writeHeader();
  }

  get isFull() {
    return this.#size >= FULL;
  }

  /** @param {Plain} plain */
  add(kind, id, plain) {
    this.#serializer.writeUint32(kind);
    if (hasId(kind)) this.#serializer.writeUint32(id);
    this.#serializer.writeValue(plain.value);
    this.#count += 1;
    this.#size += plain.size;
  }

  /** The frame. @returns {Buffer} */
  finish(kind, encoding) {
    const frame = this.#serializer.releaseBuffer();
    writeHeader(frame, 0, frame.length - HEADER, kind, encoding, 0);
    writeU32(frame, HEADER, this.#count);
    return frame;
  }
}

/**
 * Reads such a frame's payload.
 *
 * @param {Buffer} bytes
 * @param {number} start
 * @param {number} end
 * @param {number} maxBytes of one message
 * @param {(kind: number, id: number, message: any, size: number) => void} onRecord gets an average as the size
 * @throws ERR_CHANNEL_PROTOCOL, ERR_CHANNEL_MESSAGE_TOO_LARGE, and what v8.Deserializer throws
 */
function readRecords(bytes, start, end, maxBytes, onRecord) {
  if (end - start < COUNT) throw channelProtocol('a frame of records without their number');
  const deserializer = new v8.Deserializer(bytes.subarray(start + COUNT, end));
  deserializer.readHeader();
  const count = readU32(bytes, start);
  const size = Math.ceil((end - start) / count);
  const canBeTooLarge = end - start > maxBytes;
  for (let left = count; left > 0; left--) {
    const kind = deserializer.readUint32();
    if (kind < MESSAGE || kind > REPLY) throw channelProtocol(`a record of the unknown kind ${kind}`);
    const id = hasId(kind) ? deserializer.readUint32() : 0;
    const before = canBeTooLarge ? placeOf(deserializer) : 0;
    const message = deserializer.readValue();
    if (canBeTooLarge) checkSize(placeOf(deserializer) - before, maxBytes);
    onRecord(kind, id, message, size);
  }
}

// The place of a Deserializer in its bytes: that of no bytes read there.
const placeOf = (deserializer) => deserializer.readRawBytes(0).byteOffset;

function checkSize(size, maxBytes) {
  if (size > maxBytes) throw messageTooLarge(size, maxBytes);
}

module.exports = { MAX_SIZE, Plain, RecordsWriter, plainCopy, readRecords };
