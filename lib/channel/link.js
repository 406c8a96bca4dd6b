'use strict';

// The socket of a channel: what comes goes to the decoder, what is sent into the outbox. The
// channel above says when to read.

const { MessageSocket, allowDescriptors } = require('../base/binding.js');
const { UV_ECONNRESET, UV_EOF } = require('../base/constants.js');
const { errnoException, messageTooLarge, plain, receiveException } = require('../base/errors.js');
const { received } = require('../fd/descriptor.js');
const { Decoder, END, closeAll } = require('./decoder.js');
const { CLOSE, ERROR } = require('./framing.js');
const { Outbox } = require('./outbox.js');
const { Plain } = require('./records.js');
const codecs = require('./serialization.js');
const { openTarget } = require('./target.js');

const LEAST_FOR_RECORDS = 64 * 1024; // A frame of many is smaller than this.

const nothing = () => {};

class Link {
  #handle = new MessageSocket();
  #codec;
  #maxBytes;
  #decoder;
  #outbox;
  #events;
  #readsPlainly;
  #isReading = false;
  #isClosed = false;

  /**
   * @param {any} target
   * @param {any} options of normalizeChannelOptions()
   * @param {object} events
   * @param {(kind: number, id: number, message: any, descriptors: readonly any[], size: number) => void} events.onFrame
   * @param {() => void} events.onPeerGone nothing more can be sent; what the peer has sent still comes
   * @param {() => void} events.onRead all frames of one read were reported
   * @param {(reason: Error | null) => void} events.onEnd nothing more can come or be sent
   * @param {() => void} events.onTaken the kernel has taken everything
   */
  constructor(target, options, events) {
    this.#codec = codecs[options.serialization];
    this.#maxBytes = options.maxMessageBytes;
    this.#events = events;
    openTarget(target, this.#handle);
    this.#decoder = new Decoder(options, events.onFrame);
    this.#outbox = new Outbox(
      this.#handle,
      options.maxMessageBytes,
      (errno) => this.#onSendFailure(errnoException(errno, 'sendmsg')),
      events.onTaken,
    );
    const handle = this.#handle;
    this.#readsPlainly = options.maxDescriptors === 0;
    if (this.#readsPlainly) {
      // Nothing has to be looked at before it is taken.
      allowDescriptors(handle.fd, false);
      handle.setPlainBytes(Number.MAX_SAFE_INTEGER);
    }
    handle.setMaxDescriptors(options.maxDescriptors);
    handle.ondescriptors = (fds) => this.#decoder.addDescriptors(received(fds));
    handle.viewer = (slab, start, end) => this.#onBytes(slab, start, end);
    handle.reader = (nread, chunk) => this.#onRead(nread, chunk);
  }

  // Sending.

  /** The payload of a message. Runs code of the caller's, such as toJSON(). */
  encode(message) {
    return this.#codec.encode(message);
  }

  /**
   * Adds a frame to what leaves at the end of the turn.
   *
   * @param {number} kind
   * @param {number} id
   * @param {any} payload of encode()
   * @param {{ fds: Int32Array, settle: (sent: boolean) => void }} [lent] settled here only if this throws
   * @param {(error: Error | null) => void} [whenTaken]
   * @throws ERR_CHANNEL_MESSAGE_TOO_LARGE
   */
  push(kind, id, payload, lent, whenTaken) {
    const isPlain = Plain.isPlain(payload);
    if (isPlain && lent === undefined && this.#maxBytes >= LEAST_FOR_RECORDS) {
      this.#outbox.pushRecord(kind, this.#codec.number, id, payload, whenTaken);
      return;
    }
    const bytes = isPlain ? payload.serialize() : payload;
    if (this.#outbox.push(kind, this.#codec.number, id, bytes, lent?.fds, whenTaken)) return;
    lent?.settle(false);
    throw messageTooLarge(Buffer.byteLength(bytes), this.#maxBytes);
  }

  /** Says that a request failed: always in JSON. */
  pushError(id, error) {
    const text = JSON.stringify(error);
    const isSmall = this.#outbox.push(ERROR, codecs.json.number, id, text, undefined, undefined);
    if (!isSmall) this.#outbox.push(ERROR, codecs.json.number, id, null, undefined, undefined);
  }

  pushClose() {
    this.#outbox.push(CLOSE, 0, 0, null, undefined, undefined);
  }

  expectFlush() {
    this.#outbox.expectFlush();
  }

  flush() {
    this.#outbox.flush();
  }

  get queuedBytes() {
    return this.#outbox.queuedBytes;
  }

  #onSendFailure(error) {
    const isPeerGone = error.code === 'EPIPE' || error.code === 'ECONNRESET';
    if (isPeerGone) this.#events.onPeerGone();
    else this.#events.onEnd(error);
    this.#outbox.close(error);
  }

  // Receiving.

  startReading() {
    if (this.#isReading) return;
    this.#isReading = true;
    this.#handle.readStart();
  }

  stopReading() {
    if (!this.#isReading) return;
    this.#isReading = false;
    this.#handle.readStop();
  }

  #onBytes(bytes, start, end) {
    this.#afterBytes(this.#decoder.read(bytes, start, end));
  }

  // A large read, whose memory is ours; one into the frame's own memory (no chunk); the end.
  #onRead(nread, chunk) {
    if (nread < 0) {
      this.#events.onEnd(this.#endOf(nread));
    } else if (chunk !== null) {
      this.#onBytes(chunk, 0, nread);
    } else {
      this.#handle.useUserBuffer(null);
      this.#afterBytes(this.#decoder.filled(nread));
    }
  }

  #endOf(nread) {
    // ECONNRESET: it had not read everything.
    if (nread !== UV_EOF && nread !== UV_ECONNRESET) return receiveException(nread);
    return plain(this.#decoder.isBetweenFrames ? 'ERR_CHANNEL_ENDED' : 'ERR_CHANNEL_TRUNCATED');
  }

  #afterBytes(error) {
    if (error !== undefined) {
      this.#events.onEnd(error === END ? null : error);
      return;
    }
    const { room } = this.#decoder;
    if (room !== null) {
      if (!this.#readsPlainly) this.#handle.setPlainBytes(room.length);
      this.#handle.useUserBuffer(room);
    }
    this.#events.onRead();
  }

  /** Closes the socket. What was not sent fails with `error`. */
  close(error) {
    this.#isClosed = true;
    this.#handle.close(nothing);
    closeAll(this.#decoder.takeDescriptors());
    this.#outbox.close(error);
  }

  // What there is to know about it.

  get fd() {
    return this.#isClosed ? -1 : this.#handle.fd;
  }

  get counters() {
    const { bytesRead, bytesWritten } = this.#handle;
    const { tableWaits, isWaitingForTable } = this.#handle.counters;
    return { bytesRead, bytesWritten, queuedBytes: this.queuedBytes, tableWaits, isWaitingForTable };
  }

  ref() {
    this.#handle.ref();
  }

  unref() {
    this.#handle.unref();
  }
}

module.exports = { Link };
