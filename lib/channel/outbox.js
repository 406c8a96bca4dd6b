'use strict';

// What a channel has to send. Frames are written one behind the other into a batch, which
// leaves in one write: at the end of the turn, or when it has grown large. While the
// kernel takes no more, the next batch grows here.

const { callSafely } = require('../base/callback.js');
const { QUEUED, UV_EFAULT, WRITTEN } = require('../base/constants.js');
const { HEADER, ID, RECORDS, hasId, writeHeader, writeU32 } = require('./framing.js');
const { RecordsWriter } = require('./records.js');

const BLOCK = 64 * 1024;
const POOLED = 4;
const EMPTY = new Uint8Array(0);

// Descriptors of a batch, at which it leaves: until then a copy of each may be open.
const MAX_DESCRIPTORS = 32;

// Larger payloads are not copied into the batch.
const MAX_COPIED = 16 * 1024;

// Blocks that no batch uses. All channels of a thread share them: most batches are
// written in the turn in which they were begun.
const freeBlocks = [];

const totalLength = (buffers) => buffers.reduce((total, { length }) => total + length, 0);

class Outbox {
  #handle;
  #events;
  #maxBytes;
  #block = null;
  #used = 0; // Bytes of the block in use.
  #sealed = 0; // The bytes before this place are in #buffers already.
  #descriptors = undefined; // The descriptors that go with the byte at #sealed.
  #buffers = [];
  #descriptorsOf = []; // By buffer: an Int32Array or undefined.
  #hasDescriptors = false;
  #hasForeign = false; // Some of the #buffers are the caller's memory.
  #records = null; // A frame that may get more records.
  #recordsEncoding = 0;
  #recordsBytes = 0; // The estimated size of that frame.
  #waitingBytes = 0; // The bytes in the batch.
  #sendingBytes = 0; // The bytes of the write that the kernel has not taken whole.
  #waitingDescriptors = 0; // The same for descriptors.
  #sendingDescriptors = 0;
  #waiting = []; // Callbacks of the frames in the batch,
  #sending = []; // and of those in the write.
  #isBusy = false;
  #isScheduled = false;
  #isExpected = false;
  #isClosed = false;
  #flushLater = () => {
    this.#isScheduled = false;
    this.flush();
  };

  /**
   * @param {any} handle a MessageSocket
   * @param {number} maxMessageBytes
   * @param {object} events
   * @param {(errno: number) => void} events.onFailure nothing more can be sent
   * @param {() => void} events.onBlocked the kernel takes no more at present
   * @param {() => void} events.onTaken the kernel has taken everything
   */
  constructor(handle, maxMessageBytes, events) {
    this.#handle = handle;
    this.#maxBytes = maxMessageBytes;
    this.#events = events;
    handle.onwrite = (status) => this.#onWrite(status);
  }

  /** Bytes that the kernel has not taken. */
  get queuedBytes() {
    return this.#waitingBytes + this.#sendingBytes;
  }

  /** Whether the kernel has yet to take as many descriptors as should wait at most. */
  get hasManyDescriptors() {
    return this.#waitingDescriptors + this.#sendingDescriptors >= MAX_DESCRIPTORS;
  }

  /** Whether the kernel takes no more at present. */
  get isBlocked() {
    return this.#isBusy;
  }

  /**
   * Adds a frame to the batch.
   *
   * @param {number} kind
   * @param {number} encoding
   * @param {number} id
   * @param {string | Uint8Array | null} payload copied, unless it is large
   * @param {Int32Array | undefined} fds
   * @param {((error: Error | null) => void) | undefined} whenTaken called once, maybe by this call
   * @returns {boolean} false if the payload is larger than allowed: nothing was added
   */
  push(kind, encoding, id, payload, fds, whenTaken) {
    this.#sealRecords();
    const isSmallText = typeof payload === 'string' && payload.length * 3 <= MAX_COPIED;
    const bytes = isSmallText ? EMPTY : this.#toBytes(payload);
    const copied = isSmallText ? payload.length * 3 : bytes.length <= MAX_COPIED ? bytes.length : 1;
    const idLength = hasId(kind) ? ID : 0;
    this.#makeRoom(HEADER + idLength + copied);
    const block = this.#block;
    const at = this.#used;
    const start = at + HEADER + idLength;
    let size = bytes.length;
    if (isSmallText) size = block.write(payload, start);
    if (size > this.#maxBytes) return false;
    writeHeader(block, at, idLength + size, kind, encoding, fds === undefined ? 0 : fds.length);
    if (idLength > 0) writeU32(block, at + HEADER, id);
    const isLarge = bytes.length > MAX_COPIED;
    if (!isSmallText && !isLarge) block.set(bytes, start);
    this.#used = isLarge ? start : start + size;
    this.#waitingBytes += HEADER + idLength + size;
    if (fds !== undefined) this.#waitingDescriptors += fds.length;
    if (isLarge) this.#addLarge(bytes, fds);
    else if (fds !== undefined) this.#sealBeforeLastByte(fds);
    this.#added(whenTaken);
    return true;
  }

  /**
   * Adds a small message of serialization 'advanced', which shares a frame with those next to it.
   *
   * @param {number} kind
   * @param {number} encoding
   * @param {number} id
   * @param {import('./records.js').Plain} plain
   * @param {((error: Error | null) => void) | undefined} whenTaken called once
   */
  pushRecord(kind, encoding, id, plain, whenTaken) {
    if (this.#records === null) {
      this.#seal();
      this.#records = new RecordsWriter();
      this.#recordsEncoding = encoding;
    }
    this.#records.add(kind, id, plain);
    this.#waitingBytes += plain.size;
    this.#recordsBytes += plain.size;
    if (this.#records.isFull) this.#sealRecords();
    this.#added(whenTaken);
  }

  #added(whenTaken) {
    if (whenTaken !== undefined) this.#waiting.push(whenTaken);
    const isLarge = this.#waitingBytes >= BLOCK || this.#waitingDescriptors >= MAX_DESCRIPTORS;
    if (isLarge && !this.#isBusy) this.flush();
    else this.#schedule();
  }

  #toBytes(payload) {
    if (payload === null) return EMPTY;
    return typeof payload === 'string' ? Buffer.from(payload) : payload;
  }

  #makeRoom(size) {
    if (this.#block !== null && this.#block.length - this.#used >= size) return;
    this.#seal();
    this.#block = freeBlocks.pop() ?? Buffer.allocUnsafeSlow(BLOCK);
    this.#used = 0;
    this.#sealed = 0;
  }

  // Makes a buffer of the write of the bytes in the block, up to #used.
  #seal() {
    if (this.#used === this.#sealed) return;
    this.#addBuffer(this.#block.subarray(this.#sealed, this.#used), this.#descriptors);
    this.#descriptors = undefined;
    this.#sealed = this.#used;
  }

  #sealRecords() {
    if (this.#records === null) return;
    const frame = this.#records.finish(RECORDS, this.#recordsEncoding);
    this.#waitingBytes += frame.length - this.#recordsBytes;
    this.#records = null;
    this.#recordsBytes = 0;
    this.#addBuffer(frame, undefined);
  }

  #addBuffer(buffer, descriptors) {
    this.#buffers.push(buffer);
    this.#descriptorsOf.push(descriptors);
    this.#hasDescriptors = this.#hasDescriptors || descriptors !== undefined;
  }

  // A buffer with descriptors begins a message of its own: so they ride on the last byte.
  #sealBeforeLastByte(fds) {
    this.#used -= 1;
    this.#seal();
    this.#used += 1;
    this.#descriptors = fds;
  }

  #addLarge(bytes, fds) {
    this.#seal();
    this.#hasForeign = true;
    if (fds === undefined) {
      this.#addBuffer(bytes, undefined);
      return;
    }
    this.#addBuffer(bytes.subarray(0, -1), undefined);
    this.#block[this.#used++] = bytes[bytes.length - 1];
    this.#descriptors = fds;
  }

  /** flush() will be called in this tick: there is no need to see to it. */
  expectFlush() {
    this.#isExpected = true;
  }

  #schedule() {
    if (this.#isScheduled || this.#isExpected || this.#isBusy) return;
    this.#isScheduled = true;
    process.nextTick(this.#flushLater);
  }

  /** Hands the batch to the kernel. */
  flush() {
    this.#isExpected = false;
    if (this.#isBusy || this.#waitingBytes === 0 || this.#isClosed) return;
    this.#sealRecords();
    this.#seal();
    const result = this.#write();
    this.#startBatch(result === WRITTEN);
    if (result === WRITTEN) {
      this.#finish();
      if (!this.#isClosed) this.#events.onTaken();
    } else if (result === QUEUED) {
      this.#isBusy = true;
      this.#events.onBlocked();
    } else {
      this.#events.onFailure(result);
    }
  }

  #write() {
    const buffers = this.#buffers;
    // Memory of the caller's may have been transferred away since: its frame counts bytes that are gone.
    if (this.#hasForeign && totalLength(buffers) !== this.#waitingBytes) return UV_EFAULT;
    return buffers.length === 1 && !this.#hasDescriptors
      ? this.#handle.writeBuffer(buffers[0])
      : this.#handle.writeBuffers(buffers, this.#hasDescriptors ? this.#descriptorsOf : undefined);
  }

  // The block can be used again only if the kernel has its bytes.
  #startBatch(isTaken) {
    if (isTaken && this.#block !== null && freeBlocks.length < POOLED) freeBlocks.push(this.#block);
    this.#block = null;
    this.#used = 0;
    this.#sealed = 0;
    this.#sendingBytes = this.#waitingBytes;
    this.#waitingBytes = 0;
    this.#sendingDescriptors = this.#waitingDescriptors;
    this.#waitingDescriptors = 0;
    this.#sending = this.#waiting;
    this.#waiting = [];
    this.#buffers = [];
    this.#descriptorsOf = [];
    this.#hasDescriptors = false;
    this.#hasForeign = false;
  }

  #onWrite(status) {
    if (this.#isClosed) return;
    this.#isBusy = false;
    if (status !== 0) {
      this.#events.onFailure(status);
      return;
    }
    this.#finish();
    if (this.#waitingBytes > 0) this.flush();
    else if (!this.#isClosed) this.#events.onTaken();
  }

  #finish() {
    this.#sendingBytes = 0;
    this.#sendingDescriptors = 0;
    if (this.#sending.length === 0) return;
    const done = this.#sending;
    this.#sending = [];
    for (const whenTaken of done) callSafely(whenTaken, null);
  }

  /** Drops what was not sent; the handle must be closed already. */
  close(error) {
    this.#isClosed = true;
    this.#isBusy = false;
    this.#block = null;
    this.#records = null;
    this.#buffers = [];
    this.#waitingBytes = 0;
    this.#sendingBytes = 0;
    this.#waitingDescriptors = 0;
    this.#sendingDescriptors = 0;
    const lost = [...this.#sending, ...this.#waiting];
    this.#sending = [];
    this.#waiting = [];
    for (const whenTaken of lost) callSafely(whenTaken, error);
  }
}

module.exports = { Outbox };
