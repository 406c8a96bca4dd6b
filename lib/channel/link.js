'use strict';

// The socket of a channel: what comes goes to the decoder, what is sent into the outbox. The
// channel above says when to read.

const { MessageSocket, allowDescriptors } = require('../base/binding.js');
const { MAX_TIMER, UV_ECONNRESET, UV_EOF } = require('../base/constants.js');
const { errnoException, messageTooLarge, plain, receiveException } = require('../base/errors.js');
const { closeAll, received } = require('../fd/descriptor.js');
const { Decoder, END } = require('./decoder.js');
const { CLOSE, ERROR } = require('./framing.js');
const { Outbox } = require('./outbox.js');
const { MAX_SIZE, Plain } = require('./records.js');
const codecs = require('./serialization.js');
const { openTarget } = require('./target.js');

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
  #isReferenced = true;
  #keepAlive = null; // Keeps the loop running while the handle does not, which polls for nothing then.
  #isClosed = false;

  /**
   * @param {any} target
   * @param {any} options of normalizeChannelOptions()
   * @param {object} events
   * @param {(kind: number, id: number, message: any, descriptors: readonly any[], size: number) => void} events.onFrame
   * @param {() => void} events.onPeerGone nothing more can be sent; what the peer has sent still comes
   * @param {() => void} events.onRead all frames of one read were reported
   * @param {(reason: Error | null) => void} events.onEnd nothing more can come or be sent
   * @param {() => void} events.onBlocked the kernel takes no more at present
   * @param {() => void} events.onTaken the kernel has taken everything
   */
  constructor(target, options, events) {
    this.#codec = codecs[options.serialization];
    this.#maxBytes = options.maxMessageBytes;
    this.#events = events;
    openTarget(target, this.#handle);
    this.#decoder = new Decoder(options, events.onFrame);
    this.#outbox = new Outbox(this.#handle, options.maxMessageBytes, {
      onFailure: (errno) => this.#onSendFailure(errnoException(errno, 'sendmsg')),
      onBlocked: events.onBlocked,
      onTaken: events.onTaken,
    });
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
    // Only where no message of this size can be over the limit.
    if (isPlain && lent === undefined && this.#maxBytes >= MAX_SIZE) {
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

  /** Whether the kernel has yet to take as many descriptors as should wait at most. */
  get hasManyDescriptors() {
    return this.#outbox.hasManyDescriptors;
  }

  /** Whether the kernel takes no more at present. */
  get isBlocked() {
    return this.#outbox.isBlocked;
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
    this.#updateKeepAlive();
  }

  stopReading() {
    if (!this.#isReading) return;
    this.#isReading = false;
    this.#handle.readStop();
    this.#updateKeepAlive();
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
    this.#updateKeepAlive();
    this.#handle.close(nothing);
    closeAll(this.#decoder.takeDescriptors());
    this.#outbox.close(error);
  }

  // Properties and counters.

  get fd() {
    return this.#isClosed ? -1 : this.#handle.fd;
  }

  get counters() {
    const { bytesRead, bytesWritten } = this.#handle;
    const { tableWaits, isWaitingForTable } = this.#handle.counters;
    return { bytesRead, bytesWritten, queuedBytes: this.queuedBytes, tableWaits, isWaitingForTable };
  }

  ref() {
    this.#isReferenced = true;
    this.#handle.ref();
    this.#updateKeepAlive();
  }

  unref() {
    this.#isReferenced = false;
    this.#handle.unref();
    this.#updateKeepAlive();
  }

  #updateKeepAlive() {
    const isNeeded = this.#isReferenced && !this.#isReading && !this.#isClosed;
    if (isNeeded) {
      this.#keepAlive ??= setInterval(nothing, MAX_TIMER);
    } else if (this.#keepAlive !== null) {
      clearInterval(this.#keepAlive);
      this.#keepAlive = null;
    }
  }
}

module.exports = { Link };
