'use strict';

// The serialization 'advanced' of a channel: each message is a frame of a length (32 bits,
// the highest byte first) and what v8.Serializer writes. Before a host object comes a tag,
// as Node has it: 0 for views of ArrayBuffers, 1 for any other object, which travels as a
// plain one with the same properties.

/** @type {any} The methods for host objects are not in the declarations. */
const v8 = require('node:v8');

const { invalidArgValue } = require('../../base/errors.js');
const { MessageDecoder } = require('./message_decoder.js');

const HEADER_BYTES = 4;
const MAX_FRAME_BYTES = 2 ** 32 - 1;
const VIEW = 0;
const OBJECT = 1;

const NO_LENGTH = Buffer.alloc(HEADER_BYTES);

class Serializer extends v8.DefaultSerializer {
  _writeHostObject(object) {
    if (ArrayBuffer.isView(object)) {
      this.writeUint32(VIEW);
      return super._writeHostObject(object);
    }
    this.writeUint32(OBJECT);
    return this.writeValue({ ...object });
  }
}

/** @type {any} */
const Deserializer = class extends v8.DefaultDeserializer {
  _readHostObject() {
    return this.readUint32() === VIEW ? super._readHostObject() : this.readValue();
  }
};

/**
 * @returns {Buffer}
 * @throws DataCloneError if the message has a part that cannot be cloned
 */
function encode(message) {
  const serializer = new Serializer();
  serializer.writeRawBytes(NO_LENGTH); // Room for the length, so that nothing is copied later.
  serializer.writeHeader();
  serializer.writeValue(message);
  const frame = serializer.releaseBuffer();
  const length = frame.length - HEADER_BYTES;
  if (length > MAX_FRAME_BYTES) throw invalidArgValue('message', message, 'is too large');
  frame.writeUInt32BE(length, 0);
  return frame;
}

function decode(frame) {
  const deserializer = new Deserializer(frame);
  deserializer.readHeader();
  return deserializer.readValue();
}

/** Finds the frames in the bytes that come. */
class Decoder extends MessageDecoder {
  #needed = HEADER_BYTES; // Bytes before it is worth looking again.

  /** @throws ERR_IPC_MESSAGE_TOO_LONG */
  push(chunk) {
    const carried = this.parts.length;
    let bytes = chunk;
    if (carried > 0) {
      this.parts.push(chunk);
      if (this.parts.length < this.#needed) return;
      bytes = this.parts.take();
    }
    const rest = this.#frames(bytes, carried);
    if (rest < bytes.length) this.parts.push(bytes.subarray(rest));
  }

  // Returns where the frame begins whose end has not come.
  #frames(bytes, carried) {
    let start = 0;
    for (;;) {
      this.#needed = HEADER_BYTES;
      if (bytes.length - start < HEADER_BYTES) return start;
      const length = bytes.readUInt32BE(start);
      this.checkLength(length);
      this.#needed = HEADER_BYTES + length;
      const end = start + this.#needed;
      if (bytes.length < end) return start;
      this.report(decode, bytes.subarray(start + HEADER_BYTES, end), end - carried);
      start = end;
    }
  }
}

module.exports = { Decoder, encode };
