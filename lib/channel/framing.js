'use strict';

// The frames of a channel, and the side that reads them: from chunks of a stream, cut
// anywhere, to frames. docs/channel.md has the layout:
//
//   u32le length | u8 kind | u8 encoding | u8 descriptors | u8 0 | u32le id, of some kinds | payload

const { channelProtocol, messageTooLarge, plain, undecodable } = require('../base/errors.js');
const { Queue } = require('../base/queue.js');

const HEADER = 8;
const ID = 4;

const MESSAGE = 1;
const REQUEST = 2;
const REPLY = 3;
const ERROR = 4; // The reply of a handler that failed.
const CLOSE = 5;
const RECORDS = 6; // Many of the first three kinds: see records.js.

const MAX_FRAME_DESCRIPTORS = 32;
const ERROR_TEXT_LIMIT = 4096; // Characters of each part of an error.

/** Whether an id comes before the payload. */
const hasId = (kind) => kind >= REQUEST && kind <= ERROR;

// A frame with more left than this is read straight into its own memory.
const LARGE = 64 * 1024;

// Memory of a frame that is allocated before any of it has come. More of it follows what
// comes, so that announcing a length costs us little.
const FIRST_BODY = 4 * 1024 * 1024;
const GROWTH = 4; // So the copies are a third of the frame, and its memory at most four times what came.

// A frame of records has at most so many bytes, whatever the limit of one message is.
const MAX_RECORDS_BYTES = 64 * 1024;

function readU32(bytes, at) {
  return (bytes[at] | (bytes[at + 1] << 8) | (bytes[at + 2] << 16) | (bytes[at + 3] << 24)) >>> 0;
}

function writeU32(bytes, at, value) {
  bytes[at] = value;
  bytes[at + 1] = value >>> 8;
  bytes[at + 2] = value >>> 16;
  bytes[at + 3] = value >>> 24;
}

/** `length` is that of what follows the header; `count` that of the descriptors. */
function writeHeader(bytes, at, length, kind, encoding, count) {
  writeU32(bytes, at, length);
  bytes[at + 4] = kind;
  bytes[at + 5] = encoding;
  bytes[at + 6] = count;
  bytes[at + 7] = 0;
}

/**
 * Joins chunks to frames and gives each one its descriptors. Memory is allocated for a
 * frame only once its header was checked, and grows with what comes.
 */
class FrameReader {
  #maxBytes;
  #maxDescriptors;
  #onFrame;
  #partialHeader = new Uint8Array(HEADER);
  #headerFilled = 0;
  #kind = 0;
  #encoding = 0;
  #count = 0; // The number of this frame's descriptors.
  #length = 0; // The bytes of this frame, without its header.
  #body = null; // The part of a cut frame that has come; null between frames.
  #filled = 0; // Bytes of #body that have come.
  #lists = new Queue(); // Lists of descriptors that no frame has claimed yet.

  /**
   * @param {{ maxMessageBytes: number, maxDescriptors: number }} limits
   * @param {(kind: number, encoding: number, id: number, bytes: Buffer, start: number, end: number,
   *   isOwn: boolean, descriptors: any[] | undefined) => Error | undefined} onFrame gets the payload as a
   *   range of `bytes`, which is valid during the call, or for good if `isOwn`. An error ends the reading
   */
  constructor({ maxMessageBytes, maxDescriptors }, onFrame) {
    this.#maxBytes = maxMessageBytes;
    this.#maxDescriptors = maxDescriptors;
    this.#onFrame = onFrame;
  }

  /** Descriptors that came with the bytes that are read next. */
  addDescriptors(list) {
    this.#lists.push(list);
  }

  /** Descriptors that no frame has claimed, which are the caller's from now on. */
  takeDescriptors() {
    return this.#lists.clear().flat();
  }

  /** Whether the stream may end here. */
  get isBetweenFrames() {
    return this.#headerFilled === 0 && this.#body === null;
  }

  /**
   * Where to put the next bytes of a large frame, to be reported with filled(); null
   * if they are to be read elsewhere. No descriptors come with them.
   */
  get room() {
    if (this.#body === null) return null;
    // The last byte may have descriptors with it.
    const last = this.#count > 0 ? this.#length - 1 : this.#length;
    const end = Math.min(last, this.#body.length);
    return end - this.#filled >= LARGE ? this.#body.subarray(this.#filled, end) : null;
  }

  /** @returns {Error | undefined} why there can be no more frames */
  filled(length) {
    this.#filled += length;
    if (this.#filled === this.#length) return this.#completeBody();
    return this.#filled === this.#body.length ? this.#growBody() : undefined;
  }

  /**
   * @param {Buffer} bytes
   * @param {number} at the range of it that has come
   * @param {number} end
   * @returns {Error | undefined} why there can be no more frames
   */
  read(bytes, at, end) {
    let error;
    while (at < end) {
      if (this.#body !== null) {
        const length = Math.min(end - at, this.#body.length - this.#filled);
        bytes.copy(this.#body, this.#filled, at, at + length);
        at += length;
        error = this.filled(length);
      } else if (this.#headerFilled > 0 || end - at < HEADER) {
        this.#partialHeader[this.#headerFilled++] = bytes[at++];
        if (this.#headerFilled < HEADER) continue;
        this.#headerFilled = 0;
        error = this.#begin(this.#partialHeader, 0, readU32(this.#partialHeader, 0)) ?? this.#keepBody();
      } else {
        const length = readU32(bytes, at);
        error = this.#begin(bytes, at, length);
        at += HEADER;
        if (error === undefined && length <= end - at) {
          error = this.#complete(bytes, at, at + length, false);
          at += length;
        } else if (error === undefined) {
          error = this.#keepBody();
        }
      }
      if (error !== undefined) return error;
    }
    return this.#checkUnclaimed();
  }

  // Checks a header.
  #begin(bytes, at, length) {
    const kind = bytes[at + 4];
    const count = bytes[at + 6];
    const prefix = hasId(kind) ? ID : 0;
    const maxBytes = kind === RECORDS ? MAX_RECORDS_BYTES : this.#maxBytes;
    if (length > maxBytes + prefix) return messageTooLarge(length, maxBytes);
    if (kind < MESSAGE || kind > RECORDS) return channelProtocol(`a frame of the unknown kind ${kind}`);
    if (bytes[at + 7] !== 0) return channelProtocol(`${bytes[at + 7]} where a header has 0`);
    if (length < prefix) return channelProtocol('a frame without its id');
    if (count > this.#maxDescriptors) return plain('ERR_DESCRIPTORS_TOO_MANY');
    this.#kind = kind;
    this.#encoding = bytes[at + 5];
    this.#count = count;
    this.#length = length;
    return undefined;
  }

  #keepBody() {
    this.#filled = 0;
    const error = this.#allocateBody(Math.min(this.#length, FIRST_BODY));
    return error === undefined && this.#length === 0 ? this.#completeBody() : error;
  }

  // The body grows by a factor, so that copying what has come keeps the cost linear.
  #growBody() {
    const begun = this.#body;
    const error = this.#allocateBody(Math.min(this.#length, begun.length * GROWTH));
    if (error === undefined) begun.copy(this.#body);
    return error;
  }

  #allocateBody(size) {
    try {
      this.#body = Buffer.allocUnsafeSlow(size);
      return undefined;
    } catch (error) {
      return undecodable(error);
    }
  }

  #completeBody() {
    const body = this.#body;
    this.#body = null;
    return this.#complete(body, 0, body.length, true);
  }

  #complete(bytes, start, end, isOwn) {
    let descriptors;
    if (this.#count > 0) {
      descriptors = this.#lists.shift();
      if (descriptors?.length !== this.#count) return this.#wrongCount(descriptors);
    }
    if (!hasId(this.#kind)) {
      return this.#onFrame(this.#kind, this.#encoding, 0, bytes, start, end, isOwn, descriptors);
    }
    const id = readU32(bytes, start);
    return this.#onFrame(this.#kind, this.#encoding, id, bytes, start + ID, end, isOwn, descriptors);
  }

  #wrongCount(descriptors) {
    if (descriptors !== undefined) this.#lists.push(descriptors);
    return channelProtocol(`a frame counts ${this.#count} descriptors, and ${descriptors?.length ?? 0} came with it`);
  }

  // Descriptors may come before the last byte of their frame, not before its first one
  // and not with a frame that counts none.
  #checkUnclaimed() {
    if (this.#lists.length === 0) return undefined;
    const mayFollow = this.#body === null ? this.#headerFilled > 0 : this.#count > 0;
    if (mayFollow && this.#lists.length === 1) return undefined;
    return channelProtocol('descriptors that no frame counts');
  }
}

module.exports = {
  CLOSE,
  ERROR,
  ERROR_TEXT_LIMIT,
  FrameReader,
  HEADER,
  ID,
  MAX_FRAME_DESCRIPTORS,
  MAX_RECORDS_BYTES,
  MESSAGE,
  RECORDS,
  REPLY,
  REQUEST,
  hasId,
  readU32,
  writeHeader,
  writeU32,
};
