'use strict';

// Channel: messages with descriptors over one Unix stream socket. What it sends is in
// outbox.js, what it has received for its user in inbox.js, the frames in framing.js.

const EventEmitter = require('node:events');

const { MessageSocket } = require('../base/binding.js');
const { callSafely } = require('../base/callback.js');
const { UV_EOF } = require('../base/constants.js');
const {
  channelProtocol,
  errnoException,
  messageTooLarge,
  plain,
  receiveException,
  requestFailed,
  undecodable,
} = require('../base/errors.js');
const { validateFunction } = require('../base/validate.js');
const { received } = require('../fd/descriptor.js');
const { sendableList } = require('../fd/sendable.js');
const { peerCredentials } = require('../net/properties.js');
const { CLOSE, ERROR, FrameReader, MESSAGE, REPLY, REQUEST } = require('./framing.js');
const { Inbox } = require('./inbox.js');
const { isKept, normalizeChannelOptions, normalizeDescriptors, normalizeRequestOptions } = require('./options.js');
const { Outbox } = require('./outbox.js');
const { Reply } = require('./reply.js');
const { Requests } = require('./requests.js');
const codecs = require('./serialization.js');
const { openTarget } = require('./target.js');

const asyncDispose = Symbol.asyncDispose ?? Symbol.for('nodejs.asyncDispose');
const dispose = Symbol.dispose ?? Symbol.for('nodejs.dispose');

const NONE = Object.freeze([]);
const nothing = () => {};

// The life of a channel. In ENDED there is no socket any more, and messages that came
// before the end wait to be taken.
const OPEN = 0;
const CLOSING = 1;
const ENDED = 2;
const CLOSED = 3;

/**
 * Messages, requests and replies both ways over one Unix stream socket, in order, each
 * with descriptors if wanted.
 *
 * Events: 'message' (message, descriptors), 'drain', 'close' (why: an Error, or null for
 * an orderly end), once.
 */
class Channel extends EventEmitter {
  #handle = new MessageSocket();
  #options;
  #codec;
  #reader;
  #outbox;
  #inbox;
  #requests = new Requests();
  #handler = null; // Of requests.
  #waiters = []; // Iterations that wait for a message.
  #state = OPEN;
  #reason = null;
  #isReading = false;
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
    this.#options = normalizeChannelOptions(options);
    this.#codec = codecs[this.#options.serialization];
    const { maxMessageBytes, maxDescriptors } = this.#options;
    openTarget(target, this.#handle);
    this.#reader = new FrameReader(this.#options, (kind, encoding, id, bytes, start, end, isOwn, descriptors) =>
      this.#onFrame(kind, encoding, id, bytes, start, end, isOwn, descriptors));
    this.#outbox = new Outbox(
      maxMessageBytes,
      (errno) => this.#end(errnoException(errno, 'sendmsg')),
      () => this.#onTaken(),
    );
    this.#inbox = new Inbox(
      (entry) => this.#takeMessage(entry),
      (entry) => this.#takeRequest(entry),
    );
    this.#outbox.open(this.#handle);
    this.#listen(maxDescriptors);
    this.on('newListener', (name) => {
      if (name === 'message') process.nextTick(() => this.#deliver());
    });
  }

  #listen(maxDescriptors) {
    const handle = this.#handle;
    handle.setMaxDescriptors(maxDescriptors);
    handle.ondescriptors = (fds) => this.#reader.addDescriptors(received(fds));
    handle.viewer = (slab, start, end) => this.#onBytes(slab, start, end);
    handle.reader = (nread, chunk) => this.#onRead(nread, chunk);
    this.#startReading();
  }

  // Sending.

  /**
   * Sends a message, with descriptors if any. Every message of one turn of the loop leaves
   * in one write.
   *
   * @param {any} message what the serialization can carry
   * @param {Iterable<any> | null} [descriptors] what can be sent: see docs/descriptors.md; at most 32
   * @param {{ keep?: boolean }} [options] keep: do not close ours once they were sent
   * @returns {boolean} false if the peer is slow: 'drain' will follow
   * @throws ERR_CHANNEL_CLOSED, ERR_CHANNEL_MESSAGE_TOO_LARGE, ERR_INVALID_ARG_TYPE,
   *   ERR_OUT_OF_RANGE, ERR_DESCRIPTOR_CLOSED, ERR_DESCRIPTOR_UNREAD_DATA, what the serialization throws
   */
  send(message, descriptors, options) {
    this.#push(message, descriptors, options, undefined);
    const isRoom = this.#outbox.queuedBytes < this.#options.highWaterMark;
    if (!isRoom) this.#isSlow = true;
    return isRoom;
  }

  /**
   * The same, and resolves once the kernel has taken the message.
   *
   * @returns {Promise<void>} rejects with what send() throws, or with why the channel closed
   */
  sent(message, descriptors, options) {
    return new Promise((resolve, reject) => {
      this.#push(message, descriptors, options, (error) => (error === null ? resolve() : reject(error)));
    });
  }

  #push(message, descriptors, options, callback) {
    const list = normalizeDescriptors(descriptors);
    const keep = isKept(options);
    this.#checkOpen();
    const payload = this.#codec.encode(message);
    if (list === null) {
      this.#checkOpen(); // toJSON() or a getter may have closed it.
      this.#frame(MESSAGE, 0, payload, undefined, callback);
      return;
    }
    const lent = this.#lend(list, keep);
    this.#frame(MESSAGE, 0, payload, lent, (error) => {
      lent.settle(error === null);
      callback?.(error);
    });
  }

  #checkOpen() {
    if (this.#state !== OPEN) throw plain('ERR_CHANNEL_CLOSED');
  }

  #lend(list, keep) {
    const parts = sendableList(list, keep);
    const settle = (sent) => {
      for (const part of parts) part.settle(sent);
    };
    if (this.#state !== OPEN) {
      settle(false);
      throw plain('ERR_CHANNEL_CLOSED');
    }
    return { fds: Int32Array.from(parts, ({ fd }) => fd), settle };
  }

  // Nothing of the caller's runs from here on.
  #frame(kind, id, payload, lent, whenTaken, encoding = this.#codec.number) {
    if (this.#outbox.push(kind, encoding, id, payload, lent?.fds, whenTaken)) return;
    lent?.settle(false);
    throw messageTooLarge(payload.length, this.#options.maxMessageBytes);
  }

  #onTaken() {
    if (this.#state === CLOSING) {
      this.#finish(null);
    } else if (this.#isSlow && this.#state === OPEN) {
      this.#isSlow = false;
      this.emit('drain');
    }
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
    const settings = normalizeRequestOptions(options);
    this.#checkOpen();
    settings.signal?.throwIfAborted();
    const payload = this.#codec.encode(message);
    const lent = settings.descriptors === null ? undefined : this.#lend(settings.descriptors, settings.keep);
    this.#checkOpen();
    const id = this.#requests.newId();
    const reply = this.#requests.add(id, settings, lent?.settle ?? null);
    try {
      this.#frame(REQUEST, id, payload, lent, this.#requests.whenTaken(id));
    } catch (error) {
      this.#requests.fail(id, error);
    }
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
    this.#handler = handler;
    process.nextTick(() => this.#deliver());
    return this;
  }

  /** A reply with descriptors, for a handler to return. `keep` as of send(). */
  static reply(message, descriptors, options) {
    return new Reply(message, normalizeDescriptors(descriptors), isKept(options));
  }

  #takeRequest({ id, message, descriptors }) {
    const handler = this.#handler;
    if (handler === null) return false;
    let result;
    try {
      result = handler(message, descriptors);
      if (typeof result?.then === 'function') {
        result.then(
          (value) => this.#reply(id, value),
          (error) => this.#replyError(id, error),
        );
        return true;
      }
    } catch (error) {
      this.#replyError(id, error);
      return true;
    }
    this.#reply(id, result);
    return true;
  }

  // A reply that cannot be sent becomes an error at the peer.
  #reply(id, result) {
    if (this.#state !== OPEN) return;
    try {
      if (!Reply.isReply(result)) {
        this.#frame(REPLY, id, this.#codec.encode(result), undefined, undefined);
        return;
      }
      const payload = this.#codec.encode(result.message);
      const lent = result.descriptors === null ? undefined : this.#lend(result.descriptors, result.keep);
      const whenTaken = lent && ((error) => lent.settle(error === null));
      this.#frame(REPLY, id, payload, lent, whenTaken);
    } catch (error) {
      this.#replyError(id, error);
    }
  }

  #replyError(id, error) {
    if (this.#state !== OPEN) return;
    const text = JSON.stringify(describeError(error));
    this.#frame(ERROR, id, text, undefined, undefined, codecs.json.number);
  }

  // Receiving.

  #startReading() {
    if (this.#isReading) return;
    this.#isReading = true;
    this.#handle.readStart();
  }

  #stopReading() {
    if (!this.#isReading) return;
    this.#isReading = false;
    this.#handle.readStop();
  }

  #onBytes(bytes, start, end) {
    const error = this.#reader.read(bytes, start, end);
    if (this.#state === OPEN) this.#afterBytes(error);
  }

  // A large read, whose memory is ours; one into `room` (no chunk); or the end.
  #onRead(nread, chunk) {
    if (nread < 0) this.#onReadEnd(nread);
    else if (chunk !== null) this.#onBytes(chunk, 0, nread);
    else this.#afterRoomFilled(nread);
  }

  #afterRoomFilled(nread) {
    this.#handle.useUserBuffer(null);
    const error = this.#reader.filled(nread);
    if (this.#state === OPEN) this.#afterBytes(error);
  }

  #afterBytes(error) {
    if (error === undefined) {
      const { room } = this.#reader;
      if (room !== null) {
        this.#handle.setPlainBytes(room.length);
        this.#handle.useUserBuffer(room);
      }
      this.#deliver();
    } else {
      this.#end(error === END ? null : error);
    }
  }

  // One read's messages are offered, and what their takers send leaves in one write.
  #deliver() {
    if (this.#state === CLOSED || this.#state === CLOSING) return;
    this.#inbox.deliver();
    if (this.#state === OPEN) {
      this.#outbox.flush();
      if (this.#inbox.isFull) this.#stopReading();
      else this.#startReading();
    } else if (this.#state === ENDED && this.#inbox.isEmpty) {
      this.#close();
    }
  }

  // From the reader. What it returns ends the reading.
  #onFrame(kind, encoding, id, bytes, start, end, isOwn, descriptors = NONE) {
    if (kind === CLOSE) return END;
    const expected = kind === ERROR ? codecs.json : this.#codec;
    if (encoding !== expected.number) {
      closeAll(descriptors);
      return channelProtocol(`serialization ${encoding}, where this side has ${expected.number}`);
    }
    let message;
    try {
      message = expected.decode(bytes, start, end, isOwn);
    } catch (error) {
      closeAll(descriptors);
      return undecodable(error);
    }
    if (kind === MESSAGE || kind === REQUEST) {
      this.#inbox.push({ isRequest: kind === REQUEST, id, message, descriptors, size: end - start });
    } else {
      this.#onReply(kind, id, message, descriptors);
    }
    return undefined;
  }

  // The reply to a request that was given up, or to none, has no taker.
  #onReply(kind, id, message, descriptors) {
    const request = this.#requests.answered(id);
    if (request !== undefined && kind === REPLY) {
      request.resolve({ message, descriptors });
      return;
    }
    closeAll(descriptors);
    request?.reject(requestFailed(errorOf(message)));
  }

  #takeMessage({ message, descriptors }) {
    if (this.#state === CLOSED) {
      closeAll(descriptors);
    } else if (this.listenerCount('message') > 0) {
      callSafely(() => this.emit('message', message, descriptors));
    } else if (this.#waiters.length > 0) {
      this.#waiters.shift().resolve({ done: false, value: { message, descriptors } });
    } else {
      return false;
    }
    return true;
  }

  /**
   * The messages as they come: { message, descriptors }. Ends with the channel; throws if
   * that ended with an error. Leaving the loop does not close the channel.
   */
  [Symbol.asyncIterator]() {
    let isOver = false;
    const next = () => {
      if (isOver) return Promise.resolve({ done: true, value: undefined });
      const entry = this.#inbox.shiftMessage();
      if (entry !== undefined) {
        const { message, descriptors } = entry;
        process.nextTick(() => this.#deliver());
        return Promise.resolve({ done: false, value: { message, descriptors } });
      }
      if (this.#state !== CLOSED) return new Promise((resolve, reject) => this.#waiters.push({ resolve, reject }));
      isOver = true;
      return this.#reason === null ? next() : Promise.reject(this.#reason);
    };
    const stop = () => {
      isOver = true;
      return Promise.resolve({ done: true, value: undefined });
    };
    return { next, return: stop };
  }

  // Ending.

  #onReadEnd(nread) {
    if (nread !== UV_EOF) this.#end(receiveException(nread));
    else this.#end(plain(this.#reader.isBetweenFrames ? 'ERR_CHANNEL_ENDED' : 'ERR_CHANNEL_TRUNCATED'));
  }

  // Nothing more can be received or sent. What has come is delivered first.
  #end(reason) {
    if (this.#state === CLOSING) this.#finish(reason);
    if (this.#state !== OPEN) return;
    this.#state = ENDED;
    this.#reason = reason;
    this.#release();
    this.#deliver();
  }

  #release() {
    const error = this.#reason ?? plain('ERR_CHANNEL_CLOSED');
    this.#handle.close(nothing);
    closeAll(this.#reader.takeDescriptors());
    this.#outbox.close(error);
    this.#requests.close(error);
  }

  /**
   * Sends what is queued, then closes. Messages that nobody has taken are dropped, and
   * requests that wait fail with ERR_CHANNEL_CLOSED.
   *
   * @returns {Promise<void>} resolves with 'close'
   */
  close() {
    if (this.#state === OPEN) {
      this.#state = CLOSING;
      this.#stopReading();
      this.#outbox.push(CLOSE, 0, 0, null, undefined, undefined);
      this.#requests.close(plain('ERR_CHANNEL_CLOSED'));
      this.#outbox.flush();
      if (this.#state === CLOSING && this.#outbox.queuedBytes === 0) this.#finish(null);
    } else if (this.#state === ENDED) {
      this.#close();
    }
    if (this.#state === CLOSED && this.#whenClosed === null) return Promise.resolve();
    return new Promise((resolve) => this.#whenClosed.push(resolve));
  }

  /** Closes at once. What was not sent is dropped. @param {Error | null} [error] the reason given with 'close' */
  destroy(error = null) {
    if (this.#state === ENDED) this.#close();
    else if (this.#state !== CLOSED) this.#finish(error);
    return this;
  }

  #finish(reason) {
    this.#reason = reason;
    this.#state = ENDED;
    this.#release();
    this.#close();
  }

  #close() {
    if (this.#state === CLOSED) return;
    this.#state = CLOSED;
    for (const { descriptors } of this.#inbox.clear()) closeAll(descriptors);
    for (const { resolve, reject } of this.#waiters.splice(0)) {
      if (this.#reason === null) resolve({ done: true, value: undefined });
      else reject(this.#reason);
    }
    process.nextTick(() => {
      const resolvers = this.#whenClosed;
      this.#whenClosed = null;
      for (const resolve of resolvers) resolve();
      this.emit('close', this.#reason);
    });
  }

  // What there is to know about it.

  /** Whether messages can be sent. */
  get isOpen() {
    return this.#state === OPEN;
  }

  /** The socket's descriptor; -1 once it was closed. */
  get fd() {
    return this.#state === OPEN || this.#state === CLOSING ? this.#handle.fd : -1;
  }

  /** Bytes that send() took and the kernel did not yet. */
  get queuedBytes() {
    return this.#outbox.queuedBytes;
  }

  /** Who is at the other end: { pid, uid, gid, groups }; see socket.peerCredentials(). @throws ERR_CHANNEL_CLOSED */
  peerCredentials() {
    if (this.fd < 0) throw plain('ERR_CHANNEL_CLOSED');
    return peerCredentials(this.#handle.fd);
  }

  /**
   * bytesRead, bytesWritten, queuedBytes; held: messages and requests that nobody has taken
   * yet; requests: those of ours that wait; tableWaits: how often the table of descriptors was
   * full; isWaitingForTable: whether it is now.
   */
  stats() {
    const { tableWaits, isWaitingForTable } = this.#handle.counters;
    return {
      bytesRead: this.#handle.bytesRead,
      bytesWritten: this.#handle.bytesWritten,
      queuedBytes: this.#outbox.queuedBytes,
      held: this.#inbox.length,
      requests: this.#requests.size,
      tableWaits,
      isWaitingForTable,
    };
  }

  ref() {
    this.#handle.ref();
    return this;
  }

  unref() {
    this.#handle.unref();
    return this;
  }

  [dispose]() {
    this.destroy();
  }

  async [asyncDispose]() {
    await this.close();
  }
}

const END = Symbol('end'); // The peer has closed the channel.

function closeAll(descriptors) {
  for (const descriptor of descriptors) descriptor.close();
}

const text = (value) => (typeof value === 'string' ? value : undefined);

// What a handler threw may be anything.
function describeError(error) {
  try {
    if (typeof error === 'object' && error !== null) {
      return { name: text(error.name), message: text(error.message) ?? String(error), code: text(error.code) };
    }
    return { message: String(error) };
  } catch {
    return { message: 'an error that cannot be shown' };
  }
}

function errorOf(message) {
  return { name: text(message?.name) ?? 'Error', message: text(message?.message) ?? '', code: text(message?.code) };
}

module.exports = { Channel };
