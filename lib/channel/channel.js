'use strict';

// Channel: messages with descriptors over one Unix stream socket; its API and its life. The
// socket and its frames are in link.js, what comes in reception.js, requests in requests.js
// (ours) and answers.js (the peer's). The file is long for the comments of the public methods.

const EventEmitter = require('node:events');

const { callSafely } = require('../base/callback.js');
const { aborted, plain } = require('../base/errors.js');
const { validateFunction } = require('../base/validate.js');
const { peerCredentials } = require('../net/properties.js');
const { MESSAGE, REQUEST } = require('./framing.js');
const { RequestLoan, lend } = require('./lending.js');
const { Link } = require('./link.js');
const { isKept, normalizeChannelOptions, normalizeDescriptors, normalizeRequestOptions } = require('./options.js');
const { Reception } = require('./reception.js');
const { Reply } = require('./reply.js');
const { Requests } = require('./requests.js');

// OPEN --close()--> CLOSING --all is sent; the end, an error--> CLOSED
//      --the peer has gone--> RECEIVING --the end, an error--> ENDED
//      --the end, an error--> ENDED --all that came is taken--> CLOSED
//      --destroy()--> CLOSED
//
// From ENDED on there is no socket.
const OPEN = 0;
const CLOSING = 1;
const RECEIVING = 2;
const ENDED = 3;
const CLOSED = 4;

/**
 * Messages, requests and replies both ways over one Unix stream socket, in order, each
 * with descriptors if wanted.
 *
 * Events: 'message' (message, descriptors); 'drain'; 'close' (reason), once: an Error, or
 * null for an orderly end.
 */
class Channel extends EventEmitter {
  #link;
  #reception;
  #requests = new Requests();
  #state = OPEN;
  #reason = null;
  #isPeerGone = false; // Nothing can be sent.
  #isSlow = false; // send() has returned false, and no 'drain' followed.
  #whenClosed = [];

  /**
   * @param {any} target a connected Unix stream socket, which is the channel's from now on:
   *   a descriptor's number, a Descriptor, a Socket of pipewright/net or node:net
   * @param {object} [options]
   * @param {'json' | 'advanced' | 'raw'} [options.serialization] default 'json'; both sides need the same
   * @param {number} [options.maxMessageBytes] of one message, each way; default 64 MiB
   * @param {number} [options.maxDescriptors] of one message of the peer's, 0 to 32; default 32
   * @param {number} [options.highWaterMark] bytes queued at which send() returns false; default 256 KiB
   * @throws ERR_INVALID_ARG_TYPE, ERR_INVALID_ARG_VALUE, ERR_OUT_OF_RANGE, ERR_INVALID_FD_TYPE,
   *   ERR_DESCRIPTOR_UNREAD_DATA, or the system's error
   */
  constructor(target, options) {
    super();
    const normalized = normalizeChannelOptions(options);
    this.#link = new Link(target, normalized, {
      onFrame: (kind, id, message, descriptors, size) => this.#reception.onFrame(kind, id, message, descriptors, size),
      onPeerGone: () => this.#onPeerGone(),
      onRead: () => this.#reception.deliver(),
      onEnd: (reason) => this.#end(reason),
      onBlocked: () => this.#reception.waitForPeer(),
      onTaken: () => this.#onTaken(),
    });
    this.#reception = new Reception(this.#link, this.#requests, normalized, {
      isOpen: () => this.isOpen,
      hasForMessages: () => this.listenerCount('message') > 0,
      onMessage: (message, descriptors) => callSafely(() => this.emit('message', message, descriptors)),
      onEmpty: () => this.#close(),
    });
    this.#link.startReading();
  }

  // A first listener gets the messages that are held. Listening to 'newListener' for this would
  // not survive removeAllListeners(). The other methods of EventEmitter that add a listener call these.

  on(name, listener) {
    return this.#added(name, super.on(name, listener));
  }

  addListener(name, listener) {
    return this.#added(name, super.addListener(name, listener));
  }

  prependListener(name, listener) {
    return this.#added(name, super.prependListener(name, listener));
  }

  #added(name, result) {
    if (name === 'message') process.nextTick(() => this.#reception.deliver());
    return result;
  }

  // Sending.

  /**
   * Sends a message, with descriptors if any. All messages of one turn of the loop leave in
   * one write.
   *
   * @param {any} message what the serialization can carry
   * @param {Iterable<any> | null} [descriptors] what can be sent: see docs/descriptors.md; at most 32
   * @param {{ keep?: boolean }} [options] keep: do not close ours once they were sent
   * @returns {boolean} false if the peer is slow: 'drain' will follow
   * @throws ERR_CHANNEL_CLOSED, ERR_CHANNEL_MESSAGE_TOO_LARGE, ERR_INVALID_ARG_TYPE,
   *   ERR_OUT_OF_RANGE, ERR_DESCRIPTOR_CLOSED, ERR_DESCRIPTOR_UNREAD_DATA, EBADF, EMFILE, and
   *   what the serialization throws
   */
  send(message, descriptors, options) {
    this.#send(message, descriptors, options, undefined);
    const hasRoom = !this.#reception.isObstructed;
    if (!hasRoom) this.#isSlow = true;
    return hasRoom;
  }

  /**
   * The same, and resolves once the kernel has taken the message.
   *
   * @returns {Promise<void>} rejects with what send() throws, or with why the channel closed
   */
  sent(message, descriptors, options) {
    return new Promise((resolve, reject) => {
      this.#send(message, descriptors, options, (error) => (error === null ? resolve() : reject(error)));
    });
  }

  #send(message, descriptors, options, callback) {
    const items = normalizeDescriptors(descriptors);
    const keep = isKept(options);
    this.#checkOpen();
    const payload = this.#link.encode(message);
    const lent = items === null ? undefined : lend(items, keep);
    this.#checkStillOpen(lent);
    const whenTaken =
      lent === undefined
        ? callback
        : (error) => {
            lent.settle(error === null);
            callback?.(error);
          };
    this.#link.push(MESSAGE, 0, payload, lent, whenTaken);
  }

  #checkOpen() {
    if (this.#state !== OPEN) throw plain('ERR_CHANNEL_CLOSED');
  }

  // To be called after code of the caller's, such as toJSON(), which may have closed the channel.
  #checkStillOpen(lent) {
    if (this.#state === OPEN) return;
    lent?.settle(false);
    this.#checkOpen();
  }

  #onTaken() {
    if (this.#state === CLOSING) {
      this.#finish(null);
      return;
    }
    if (this.#reception.length > 0) this.#reception.deliver(); // Requests may have waited for this.
    if (this.#isSlow) process.nextTick(() => this.#drain());
  }

  #drain() {
    if (!this.#isSlow || this.#reception.isObstructed || this.#state !== OPEN) return;
    this.#isSlow = false;
    this.emit('drain');
  }

  // Requests.

  /**
   * Sends a request and resolves with the peer's reply.
   *
   * @param {any} message
   * @param {object} [options]
   * @param {number} [options.timeout] milliseconds; default 0: none
   * @param {AbortSignal} [options.signal]
   * @param {Iterable<any> | null} [options.descriptors] as of send()
   * @param {boolean} [options.keep] as of send()
   * @returns {Promise<{ message: any, descriptors: readonly any[] }>} rejects with what send()
   *   throws, ERR_CHANNEL_REQUEST_FAILED (the peer's handler threw: see `cause`),
   *   ERR_CHANNEL_REQUEST_TIMEOUT, an AbortError, ERR_CHANNEL_CLOSED or why the channel closed
   */
  async request(message, options) {
    const { timeout, signal, descriptors, keep } = normalizeRequestOptions(options);
    this.#checkOpen();
    const payload = this.#link.encode(message);
    const lent = descriptors === null ? undefined : lend(descriptors, keep);
    this.#checkStillOpen(lent);
    if (signal?.aborted) {
      lent?.settle(false);
      throw aborted(signal.reason);
    }
    const loan = lent === undefined ? undefined : new RequestLoan(lent);
    const id = this.#requests.newId();
    const reply = this.#requests.add(id, timeout, signal, loan);
    try {
      this.#link.push(REQUEST, id, payload, lent, loan && ((error) => loan.taken(error)));
    } catch (error) {
      this.#requests.fail(id, error);
    }
    this.#reception.waitForPeer();
    return reply;
  }

  /**
   * Answers the peer's requests. The handler returns the reply or a promise of it; with
   * descriptors, `Channel.reply(message, descriptors)`. What it throws rejects the request.
   * Requests wait until there is a handler.
   *
   * @param {((message: any, descriptors: readonly any[]) => any) | null} handler replaces the one before
   * @throws ERR_INVALID_ARG_TYPE
   */
  onRequest(handler) {
    if (handler !== null) validateFunction(handler, 'handler');
    this.#reception.handler = handler;
    return this;
  }

  /** A reply with descriptors, for a handler to return. Arguments as of send(). */
  static reply(message, descriptors, options) {
    return new Reply(message, normalizeDescriptors(descriptors), isKept(options));
  }

  // Receiving.

  /**
   * The messages as they come: { message, descriptors }. Ends with the channel; throws if
   * that ended with an error. Leaving the loop does not close the channel.
   */
  [Symbol.asyncIterator]() {
    return this.#reception.iterate(() => (this.#state === CLOSED ? this.#reason : undefined));
  }

  // Ending.

  // The messages that the peer sent before it went still come, and then the way it ended.
  #onPeerGone() {
    this.#isPeerGone = true;
    if (this.#state === CLOSING && this.#reason !== null) this.#finish(this.#reason);
    if (this.#state === OPEN) this.#state = RECEIVING;
  }

  // Nothing more can be received or sent. What has come is delivered first.
  #end(reason) {
    if (this.#state === CLOSING) this.#endClosing(reason);
    if (this.#state !== OPEN && this.#state !== RECEIVING) return;
    this.#release(reason);
    this.#reception.end();
  }

  // A peer that has ended its own side may still read ours. The write finds out.
  #endClosing(reason) {
    this.#reason = reason;
    const mayRead = reason?.code === 'ERR_CHANNEL_ENDED' && !this.#isPeerGone;
    if (mayRead) this.#link.stopReading();
    else this.#finish(reason);
  }

  #release(reason) {
    this.#state = ENDED;
    this.#reason = reason;
    const error = reason ?? plain('ERR_CHANNEL_CLOSED');
    this.#link.close(error);
    this.#requests.close(error);
  }

  #finish(reason) {
    this.#release(reason);
    this.#close();
  }

  #close() {
    if (this.#state === CLOSED) return;
    this.#state = CLOSED;
    this.#reception.close(this.#reason);
    process.nextTick(() => {
      const resolvers = this.#whenClosed;
      this.#whenClosed = null;
      for (const resolve of resolvers) resolve();
      this.emit('close', this.#reason);
    });
  }

  /**
   * Sends what is queued, then closes. Messages that were not taken are dropped, and
   * requests that wait fail with ERR_CHANNEL_CLOSED.
   *
   * @returns {Promise<void>} resolves with 'close'
   */
  close() {
    if (this.#state === OPEN) {
      this.#state = CLOSING;
      this.#reception.drop();
      this.#link.pushClose();
      this.#requests.close(plain('ERR_CHANNEL_CLOSED'));
      this.#link.flush();
      if (this.#state === CLOSING && this.#link.queuedBytes === 0 && !this.#isPeerGone) this.#finish(null);
    } else if (this.#state !== CLOSING) {
      this.destroy();
    }
    if (this.#whenClosed === null) return Promise.resolve();
    return new Promise((resolve) => this.#whenClosed.push(resolve));
  }

  /** Closes at once. What was not sent is dropped. @param {Error | null} [error] the reason given with 'close' */
  destroy(error = null) {
    if (this.#state === ENDED) this.#close();
    else if (this.#state !== CLOSED) this.#finish(error);
    return this;
  }

  [Symbol.dispose]() {
    this.destroy();
  }

  async [Symbol.asyncDispose]() {
    await this.close();
  }

  // Properties and counters.

  /** Whether messages can be sent. */
  get isOpen() {
    return this.#state === OPEN;
  }

  /** Whether 'close' was emitted, or will be at once. */
  get closed() {
    return this.#state === CLOSED;
  }

  /** The socket's descriptor; -1 once it was closed. */
  get fd() {
    return this.#link.fd;
  }

  /** Bytes that send() took and the kernel did not yet. */
  get queuedBytes() {
    return this.#link.queuedBytes;
  }

  /** Who is at the other end: { pid, uid, gid, groups }; see socket.peerCredentials(). @throws ERR_CHANNEL_CLOSED */
  peerCredentials() {
    if (this.fd < 0) throw plain('ERR_CHANNEL_CLOSED');
    return peerCredentials(this.fd);
  }

  /**
   * bytesRead, bytesWritten, queuedBytes; held: messages and requests that were not taken
   * yet; requests: those of ours that wait; tableWaits: how often the table of descriptors was
   * full; isWaitingForTable: whether it is now.
   */
  stats() {
    return { ...this.#link.counters, held: this.#reception.length, requests: this.#requests.size };
  }

  ref() {
    this.#link.ref();
    return this;
  }

  unref() {
    this.#link.unref();
    return this;
  }
}

module.exports = { Channel };
