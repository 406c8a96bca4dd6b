'use strict';

// DescriptorPasser: a queue of descriptors each way over one Unix stream socket. On the
// wire each descriptor travels with one NUL byte, so that AnyEvent::FDpasser, Python's
// socket.send_fds() or a C program can be at the other end. Built on MessageSocket.

const EventEmitter = require('node:events');
const { constants } = require('node:fs');

const { MessageSocket, getFlags } = require('../base/binding.js');
const { Descriptor, received } = require('../fd/descriptor.js');
const { UV_EOF } = require('../base/constants.js');
const { errnoException, plain, receiveException } = require('../base/errors.js');
const { kLend, lendHandle } = require('../fd/lend.js');
const { sendable } = require('../fd/sendable.js');
const { validateFunction } = require('../base/validate.js');
const { normalizePasserOptions } = require('./options.js');
const { socketpair } = require('./socketpair.js');
const { Queue } = require('../base/queue.js');

const READ_AHEAD = 64; // Descriptors that an iteration asks for at a time.

const O_NONBLOCK = constants.O_NONBLOCK;
// The peer has gone: of a send the last word for all that follow.
const FINAL = new Set(['EPIPE', 'ECONNRESET', 'ENOTCONN']);
const isFinal = ({ code }) => FINAL.has(code);

const isNonBlocking = (fd) => (getFlags(fd) & O_NONBLOCK) !== 0;

const asyncDispose = Symbol.asyncDispose ?? Symbol.for('nodejs.asyncDispose');
const dispose = Symbol.dispose ?? Symbol.for('nodejs.dispose');

/**
 * Passes descriptors both ways, in order, and loses none: not when the peer is slow,
 * and not when the receiver's table of descriptors is full.
 *
 * Events: 'end' (the peer ended in an orderly way), 'error' (what ended it, unless
 * somebody waiting was told), 'close'.
 */
class DescriptorPasser extends EventEmitter {
  #handle = null;
  #pair; // Both ends, until a side is chosen.
  #options;
  #failure = null; // Why nothing more will be received.
  #sendFailure = null; // Why nothing more can be sent.
  #isClosed = false;

  #sends = new Queue(); // { callback, settle, status } of what the kernel has not been seen to take.
  #batch = []; // Entries that wait for the batch to fill, or the tick to end.
  #receivers = new Queue(); // Callbacks that wait for a descriptor.
  #arrived = new Queue(); // Descriptors that nobody waits for yet: of a batch.
  #readAhead = 0;
  #asked = 0; // What the handle was told to receive.
  #counts = { sent: 0, received: 0, failed: 0 };
  #whenSent = [];

  /**
   * @param {object | number} [target] a connected Unix stream socket: its descriptor, a
   *   Descriptor, a Socket of pipewright; or { socket, sockets, batch,
   *   maxDescriptors, setNonBlocking }. Without any it makes a pair.
   * @throws ERR_INVALID_ARG_TYPE, ERR_INVALID_ARG_VALUE, ERR_OUT_OF_RANGE, or the
   *   system's error
   */
  constructor(target) {
    super();
    this.#options = normalizePasserOptions(target);
    const { sockets } = this.#options;
    if (sockets.length === 1) {
      this.#pair = null;
      this.#open(sockets[0]);
    } else {
      this.#pair = sockets.length === 2 ? sockets : socketpair();
    }
  }

  /** Two passers, connected to each other. */
  static pair(options) {
    return socketpair().map((socket) => new DescriptorPasser({ ...options, socket }));
  }

  #open(descriptor) {
    const { setNonBlocking, maxDescriptors } = this.#options;
    const handle = new MessageSocket();
    const err = handle.open(descriptor.fd, !setNonBlocking);
    if (err !== 0) {
      // A number is the caller's again, unless it had to be given another one.
      if (this.#options.given === descriptor.fd) descriptor.take();
      else if (typeof this.#options.given === 'number') descriptor.close();
      throw errnoException(err, 'open');
    }
    descriptor.take();
    handle.setMaxDescriptors(maxDescriptors);
    handle.ondescriptors = (fds) => this.#onDescriptors(fds);
    handle.onread = (status) => this.#onReadEnd(status);
    handle.onsent = (count, status) => this.#onSent(count, status);
    this.#handle = handle;
  }

  // A passer that made or was given a pair.

  /** Keeps the first end and closes the second. @throws ERR_PASSER_SIDE_CHOSEN */
  parent() {
    return this.#chooseSide(0);
  }

  /** Keeps the second end and closes the first. @throws ERR_PASSER_SIDE_CHOSEN */
  child() {
    return this.#chooseSide(1);
  }

  /** The descriptor for a child's stdio, until parent() closes it. */
  get childFd() {
    if (this.#pair === null) throw plain('ERR_PASSER_SIDE_CHOSEN');
    return this.#pair[1].fd;
  }

  #chooseSide(side) {
    if (this.#pair === null) throw plain('ERR_PASSER_SIDE_CHOSEN');
    this.#open(this.#pair[side]);
    this.#pair[1 - side].close();
    this.#pair = null;
    return this;
  }

  #ready() {
    if (this.#pair !== null) throw plain('ERR_PASSER_NO_SIDE');
    if (this.#isClosed) throw plain('ERR_PASSER_CLOSED');
    return this.#handle;
  }

  // Sending.

  /**
   * Queues a descriptor, or what has one: see docs/descriptors.md. The callback, or the
   * promise, tells when the kernel has taken it; not that the peer has.
   *
   * @param {any} item
   * @param {{ keep?: boolean } | ((error: Error | null) => void)} [options]
   * @param {(error: Error | null) => void} [callback]
   * @returns {Promise<void> | undefined} a promise where there is no callback
   * @throws ERR_INVALID_ARG_TYPE, ERR_DESCRIPTOR_CLOSED, ERR_DESCRIPTOR_UNREAD_DATA,
   *   ERR_PASSER_NO_SIDE, ERR_PASSER_CLOSED, or why the passer failed
   */
  send(item, options, callback) {
    if (typeof options === 'function') return this.send(item, undefined, options);
    if (callback === undefined) {
      return new Promise((resolve, reject) => {
        this.send(item, options, (error) => (error ? reject(error) : resolve()));
      });
    }
    validateFunction(callback, 'callback');
    this.#ready();
    if (this.#sendFailure !== null) throw this.#sendFailure;
    const { fd, settle } = sendable(item, options?.keep === true);
    const entry = { fd, settle, callback, status: undefined };
    if (this.#options.batch === 1) {
      this.#passOne(entry);
    } else {
      this.#addToBatch(entry);
    }
    return undefined;
  }

  #addToBatch(entry) {
    this.#batch.push(entry);
    if (this.#batch.length === this.#options.batch) {
      this.#flush();
    } else if (this.#batch.length === 1) {
      process.nextTick(() => this.#flush());
    }
  }

  #flush() {
    if (this.#batch.length === 0) return;
    const entries = this.#batch;
    this.#batch = [];
    this.#pass(entries);
  }

  #passOne(entry) {
    const isIdle = this.#sends.length === 0;
    this.#sends.push(entry);
    if (this.#handle.passDescriptors(entry.fd) === 0) return;
    entry.status = 0;
    // Callbacks never come before send() returns.
    if (isIdle) process.nextTick(() => this.#finish());
  }

  #pass(entries) {
    if (this.#isClosed || this.#sendFailure !== null) {
      this.#fail(entries, this.#sendFailure ?? plain('ERR_PASSER_CLOSED'));
      return;
    }
    const fds = new Int32Array(entries.length);
    for (let i = 0; i < entries.length; i++) fds[i] = entries[i].fd;
    const taken = this.#handle.passDescriptors(fds, this.#options.batch);
    const isIdle = this.#sends.length === 0;
    for (let i = 0; i < entries.length; i++) {
      if (i < taken) entries[i].status = 0;
      this.#sends.push(entries[i]);
    }
    // Callbacks never come before send() returns.
    if (isIdle && taken > 0) process.nextTick(() => this.#finish());
  }

  // From completions.js: of those that the kernel did not take at once, the first so
  // many are done.
  #onSent(count, status) {
    for (const entry of this.#sends) {
      if (count === 0) break;
      if (entry.status !== undefined) continue;
      entry.status = status;
      count -= 1;
    }
    this.#finish();
  }

  #finish() {
    for (let entry = this.#sends.first; entry?.status !== undefined; entry = this.#sends.first) {
      this.#sends.shift();
      const { settle, callback, status } = entry;
      const error = status === 0 ? null : errnoException(status, 'sendmsg');
      if (error === null) {
        this.#counts.sent += 1;
      } else {
        this.#counts.failed += 1;
        if (isFinal(error)) this.#sendFailure ??= error;
      }
      settle(error === null);
      this.#call(callback, error);
    }
    if (this.#sends.length === 0) for (const resolve of this.#whenSent.splice(0)) resolve();
  }

  #fail(entries, error) {
    for (const { settle, callback } of entries) {
      this.#counts.failed += 1;
      settle(false);
      process.nextTick(callback, error);
    }
  }

  // A callback that throws must not keep the others from being called.
  #call(callback, ...args) {
    try {
      callback(...args);
    } catch (error) {
      process.nextTick(() => {
        throw error;
      });
    }
  }

  // Receiving.

  /**
   * Asks for one descriptor. Nothing is read from the socket before somebody has asked.
   *
   * @param {(error: Error | null, descriptor?: Descriptor) => void} [callback]
   * @returns {Promise<Descriptor> | undefined} a promise where there is no callback. It
   *   rejects with ERR_PASSER_ENDED when the peer has ended in an orderly way
   * @throws ERR_PASSER_NO_SIDE, ERR_PASSER_CLOSED, or why the passer failed
   */
  receive(callback) {
    if (callback === undefined) {
      return new Promise((resolve, reject) => {
        this.receive((error, descriptor) => (error ? reject(error) : resolve(descriptor)));
      });
    }
    validateFunction(callback, 'callback');
    this.#ready();
    if (this.#arrived.length > 0) {
      process.nextTick(callback, null, this.#arrived.shift());
      return undefined;
    }
    if (this.#failure !== null) throw this.#failure;
    this.#receivers.push(callback);
    this.#ask();
    return undefined;
  }

  // Tells the handle how many descriptors are wanted, where that is not what it knows.
  #ask() {
    const wanted = Math.max(this.#receivers.length, this.#readAhead) - this.#arrived.length;
    if (wanted === this.#asked || this.#failure !== null || this.#isClosed) return;
    this.#asked = Math.max(wanted, 0);
    const err = this.#handle.receive(this.#asked);
    if (err !== 0) this.#end(errnoException(err, 'recvmsg'));
  }

  #onDescriptors(fds) {
    this.#counts.received += fds.length;
    this.#asked = Math.max(this.#asked - fds.length, 0);
    const descriptors = received(fds);
    for (const descriptor of descriptors) {
      const receiver = this.#receivers.shift();
      if (receiver === undefined) {
        this.#arrived.push(descriptor);
      } else {
        this.#call(receiver, null, descriptor);
      }
    }
    this.#ask();
  }

  #onReadEnd(status) {
    if (status === UV_EOF) {
      this.#end(plain('ERR_PASSER_ENDED'));
      this.emit('end');
    } else {
      const error = receiveException(status);
      const isHeard = this.#receivers.length > 0;
      this.#end(error);
      if (!isHeard || this.listenerCount('error') > 0) this.emit('error', error);
    }
  }

  #end(error) {
    this.#failure ??= error;
    for (const receiver of this.#receivers.clear()) this.#call(receiver, error);
  }

  /** The descriptors as they come, until the peer ends. Leaving the loop does not close it. */
  [Symbol.asyncIterator]() {
    const stop = () => {
      this.#readAhead = 0;
      if (!this.#isClosed) this.#ask();
      return Promise.resolve({ done: true, value: undefined });
    };
    const next = () => {
      if (this.#arrived.length > 0) return Promise.resolve({ done: false, value: this.#arrived.shift() });
      this.#readAhead = READ_AHEAD;
      return this.receive().then(
        (value) => ({ done: false, value }),
        (error) => {
          if (error.code === 'ERR_PASSER_ENDED') return stop();
          stop();
          throw error;
        },
      );
    };
    return { next, return: stop };
  }

  // Ending.

  /** Closes once all that is queued was sent, or cannot be. */
  async end() {
    this.#ready();
    this.#flush();
    if (this.#sends.length > 0) await new Promise((resolve) => this.#whenSent.push(resolve));
    this.close();
  }

  /** Closes at once. Who waits is told: ERR_PASSER_CLOSED, or ECANCELED of a send. */
  close() {
    if (this.#isClosed) return;
    this.#isClosed = true;
    for (const descriptor of this.#pair ?? []) descriptor.close();
    for (const descriptor of this.#arrived.clear()) descriptor.close();
    this.#fail(this.#batch.splice(0), plain('ERR_PASSER_CLOSED'));
    this.#end(plain('ERR_PASSER_CLOSED'));
    if (this.#handle === null) {
      process.nextTick(() => this.emit('close'));
    } else {
      this.#handle.close(() => this.emit('close'));
    }
  }

  /**
   * Its socket as a Descriptor, to be sent or transferred elsewhere. It closes without
   * losing anything, or refuses: ERR_DESCRIPTOR_UNREAD_DATA.
   */
  detach() {
    const handle = this.#ready();
    if (this.#arrived.length > 0 || this.#batch.length > 0) throw plain('ERR_DESCRIPTOR_UNREAD_DATA');
    const fd = handle.detach();
    if (fd < 0) throw plain('ERR_DESCRIPTOR_UNREAD_DATA');
    this.#isClosed = true;
    this.#end(plain('ERR_PASSER_CLOSED'));
    handle.onclose = () => this.emit('close');
    return Descriptor.from(fd);
  }

  /** Its socket may be sent, too. */
  [kLend]({ keep }) {
    return lendHandle(this.#isClosed ? null : this.#handle, {
      keep,
      hasData: this.#arrived.length + this.#sends.length + this.#batch.length > 0,
      stopReading: () => this.#handle.readStop(),
      close: () => this.close(),
    });
  }

  // What there is to know about it.

  get fd() {
    return this.#handle === null || this.#isClosed ? -1 : this.#handle.fd;
  }

  get closed() {
    return this.#isClosed;
  }

  ref() {
    this.#ready().ref();
    return this;
  }

  unref() {
    this.#ready().unref();
    return this;
  }

  /**
   * sent, received, failed: descriptors so far. queued: to be sent. waiting: receives
   * that wait. unclaimed: received and not asked for. tableWaits: how often the table
   * was full; isWaitingForTable: whether it is now. sendWaits: how often the kernel had
   * too many descriptors in flight. isNonBlocking: the socket's flag.
   */
  stats() {
    const counters = this.#handle?.counters;
    const fd = this.fd;
    return {
      ...this.#counts,
      queued: this.#sends.length + this.#batch.length,
      waiting: this.#receivers.length,
      unclaimed: this.#arrived.length,
      tableWaits: counters?.tableWaits ?? 0,
      isWaitingForTable: counters?.isWaitingForTable ?? false,
      sendWaits: counters?.sendWaits ?? 0,
      isNonBlocking: fd >= 0 && isNonBlocking(fd),
    };
  }

  [dispose]() {
    this.close();
  }

  async [asyncDispose]() {
    if (!this.#isClosed) await this.end();
  }
}

module.exports = { DescriptorPasser };
