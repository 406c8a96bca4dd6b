'use strict';

// What a channel has to send. Frames are written one behind the other into a batch, which
// leaves in one write: at the end of the turn, or when it has grown large. While the
// kernel takes no more, the next batch grows here.

const { callSafely } = require('../base/callback.js');
const { HEADER, ID, hasId } = require('./framing.js');

const BLOCK = 64 * 1024;
const POOLED = 4;
const EMPTY = new Uint8Array(0);

const WRITTEN = 0; // What a handle's write returns when the kernel took all.
const QUEUED = 1; // When onwrite(status) will follow.

// Larger payloads are not copied into the batch.
const MAX_COPIED = 16 * 1024;

// Blocks that no batch uses. All channels of a thread share them: most batches are
// written in the turn in which they were begun.
const freeBlocks = [];

function writeHeader(block, at, length, kind, encoding, count) {
  block[at] = length;
  block[at + 1] = length >>> 8;
  block[at + 2] = length >>> 16;
  block[at + 3] = length >>> 24;
  block[at + 4] = kind;
  block[at + 5] = encoding;
  block[at + 6] = count;
  block[at + 7] = 0;
}

function writeId(block, at, id) {
  block[at] = id;
  block[at + 1] = id >>> 8;
  block[at + 2] = id >>> 16;
  block[at + 3] = id >>> 24;
}

class Outbox {
  #handle = null;
  #onFailure;
  #onTaken;
  #maxBytes;
  #block = null;
  #used = 0; // Bytes of the block in use.
  #sealed = 0; // Those before this are in #buffers already.
  #descriptors = undefined; // Those that go with the byte at #sealed.
  #buffers = [];
  #descriptorsOf = []; // By buffer: an Int32Array or undefined.
  #hasDescriptors = false;
  #waitingBytes = 0; // In the batch.
  #sendingBytes = 0; // In the write that the kernel has not taken whole.
  #waiting = []; // Outcomes to report, for frames in the batch.
  #sending = [];
  #isBusy = false;
  #isScheduled = false;
  #isClosed = false;
  #flushLater = () => {
    this.#isScheduled = false;
    this.flush();
  };

  /**
   * @param {number} maxMessageBytes
   * @param {(errno: number) => void} onFailure nothing more can be sent
   * @param {() => void} onTaken the kernel has taken everything, after it had not
   */
  constructor(maxMessageBytes, onFailure, onTaken) {
    this.#maxBytes = maxMessageBytes;
    this.#onFailure = onFailure;
    this.#onTaken = onTaken;
  }

  open(handle) {
    this.#handle = handle;
    handle.onwrite = (status) => this.#onWrite(status);
  }

  /** Bytes that the kernel has not taken. */
  get queuedBytes() {
    return this.#waitingBytes + this.#sendingBytes;
  }

  /**
   * Adds a frame to the batch.
   *
   * @param {number} kind
   * @param {number} encoding
   * @param {number} id
   * @param {string | Uint8Array | null} payload copied, unless it is large
   * @param {Int32Array | undefined} fds
   * @param {((error: Error | null) => void) | undefined} whenTaken called once, never by this call
   * @returns {boolean} false if the payload is larger than allowed: nothing was added
   */
  push(kind, encoding, id, payload, fds, whenTaken) {
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
    if (idLength > 0) writeId(block, at + HEADER, id);
    const isLarge = bytes.length > MAX_COPIED;
    if (!isSmallText && !isLarge) block.set(bytes, start);
    this.#used = isLarge ? start : start + size;
    this.#waitingBytes += HEADER + idLength + size;
    if (isLarge) this.#addLarge(bytes, fds);
    else if (fds !== undefined) this.#sealBeforeLastByte(fds);
    if (whenTaken !== undefined) this.#waiting.push(whenTaken);
    if (this.#waitingBytes >= BLOCK && !this.#isBusy) this.#flushSoon();
    else this.#schedule();
    return true;
  }

  // Private to the frame: the caller's own bytes may be the memory of anything.
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

  // What is in the block, up to #used, becomes a buffer of the write.
  #seal() {
    if (this.#used === this.#sealed) return;
    this.#addBuffer(this.#block.subarray(this.#sealed, this.#used), this.#descriptors);
    this.#descriptors = undefined;
    this.#sealed = this.#used;
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
    if (fds === undefined) {
      this.#addBuffer(bytes, undefined);
      return;
    }
    this.#addBuffer(bytes.subarray(0, -1), undefined);
    this.#block[this.#used++] = bytes[bytes.length - 1];
    this.#descriptors = fds;
  }

  #schedule() {
    if (this.#isScheduled || this.#isBusy) return;
    this.#isScheduled = true;
    process.nextTick(this.#flushLater);
  }

  #flushSoon() {
    this.flush();
  }

  /** Hands the batch to the kernel. */
  flush() {
    if (this.#isBusy || this.#waitingBytes === 0 || this.#isClosed) return;
    this.#seal();
    const buffers = this.#buffers;
    const result =
      buffers.length === 1 && !this.#hasDescriptors
        ? this.#handle.writeBuffer(buffers[0])
        : this.#handle.writeBuffers(buffers, this.#hasDescriptors ? this.#descriptorsOf : undefined);
    this.#sending = this.#waiting;
    this.#sendingBytes = this.#waitingBytes;
    this.#startBatch(result === WRITTEN);
    if (result === WRITTEN) {
      this.#finish();
    } else if (result === QUEUED) {
      this.#isBusy = true;
    } else {
      this.#onFailure(result);
    }
  }

  // The block can be used again only if the kernel has its bytes.
  #startBatch(isTaken) {
    if (isTaken && freeBlocks.length < POOLED) freeBlocks.push(this.#block);
    this.#block = null;
    this.#used = 0;
    this.#sealed = 0;
    this.#waitingBytes = 0;
    if (this.#waiting.length > 0) this.#waiting = [];
    if (this.#buffers.length > 1) {
      this.#buffers = [];
      this.#descriptorsOf = [];
      this.#hasDescriptors = false;
    } else {
      this.#buffers.length = 0;
      this.#descriptorsOf.length = 0;
      this.#hasDescriptors = false;
    }
  }

  #onWrite(status) {
    if (this.#isClosed) return;
    this.#isBusy = false;
    if (status !== 0) {
      this.#onFailure(status);
      return;
    }
    this.#finish();
    this.flush();
    if (!this.#isBusy && !this.#isClosed) this.#onTaken();
  }

  #finish() {
    this.#sendingBytes = 0;
    if (this.#sending.length === 0) return;
    const done = this.#sending;
    this.#sending = [];
    for (const whenTaken of done) callSafely(whenTaken, null);
  }

  /** Drops what was not sent; the handle must be closed already. */
  close(error) {
    this.#isClosed = true;
    this.#block = null;
    this.#buffers = [];
    const lost = [...this.#sending, ...this.#waiting];
    this.#sending = [];
    this.#waiting = [];
    for (const whenTaken of lost) callSafely(whenTaken, error);
  }
}

module.exports = { Outbox };
