'use strict';

// DescriptorPasser: a queue of descriptors each way over one Unix stream socket. On the
// wire each descriptor travels with one NUL byte, so that AnyEvent::FDpasser, Python's
// socket.send_fds() or a C program can be at the other end. Built on MessageSocket.

const EventEmitter = require('node:events');
const { constants } = require('node:fs');

const { MessageSocket, getFlags } = require('../base/binding.js');
const { UV_EOF } = require('../base/constants.js');
const { errnoException, plain, receiveException } = require('../base/errors.js');
const { validateFunction } = require('../base/validate.js');
const { Descriptor, closeAll, kHandOver } = require('../fd/descriptor.js');
const { kLend, lendHandle } = require('../fd/lend.js');
const { sendable } = require('../fd/sendable.js');
const { Inbox } = require('./inbox.js');
const { normalizePasserOptions } = require('./options.js');
const { Outbox } = require('./outbox.js');
const { socketpair } = require('./socketpair.js');

const isNonBlocking = (fd) => (getFlags(fd) & constants.O_NONBLOCK) !== 0;

/**
 * Passes descriptors both ways, in order. It loses none, even if the peer is slow or the
 * receiver's table of descriptors is full.
 *
 * Events: 'end' (the peer ended in an orderly way), 'error' (the passer failed, and no
 * waiting receive() reported it), 'close'.
 */
class DescriptorPasser extends EventEmitter {
  #handle = null;
  #pair; // Both ends, until a side is chosen.
  #options;
  #isClosed = false;
  #outbox;
  #inbox = new Inbox();

  /**
   * @param {object | number} [target] a connected Unix stream socket: its descriptor, a
   *   Descriptor, a Socket of pipewright; or { socket, sockets, batch,
   *   maxDescriptors, setNonBlocking }. Without a socket it makes a pair.
   * @throws ERR_INVALID_ARG_TYPE, ERR_INVALID_ARG_VALUE, ERR_OUT_OF_RANGE, or the
   *   system's error
   */
  constructor(target) {
    super();
    this.#options = normalizePasserOptions(target);
    this.#outbox = new Outbox(this.#options.batch);
    const { sockets } = this.#options;
    if (sockets.length === 1) {
      this.#pair = null;
      this.#openGiven(sockets[0]);
    } else {
      this.#pair = sockets.length === 2 ? sockets : socketpair();
    }
  }

  /** Makes two passers, connected to each other. */
  static pair(options) {
    return socketpair().map((socket) => new DescriptorPasser({ ...options, socket }));
  }

  // If it fails, the caller still owns what it gave.
  #openGiven(descriptor) {
    const { given } = this.#options;
    try {
      this.#open(descriptor);
    } catch (error) {
      // Gives a number back to the caller. If the Descriptor has a copy, closes the copy.
      if (given === descriptor.fd) descriptor.take();
      else if (given !== descriptor) descriptor.close();
      throw error;
    }
  }

  #open(descriptor) {
    const { setNonBlocking, maxDescriptors } = this.#options;
    const handle = new MessageSocket();
    descriptor[kHandOver]((fd) => {
      const err = handle.open(fd, !setNonBlocking);
      if (err !== 0) throw errnoException(err, 'open');
      return true;
    });
    handle.setMaxDescriptors(maxDescriptors);
    handle.onread = (status) => this.#onReadEnd(status);
    this.#inbox.open(handle);
    this.#outbox.open(handle);
    this.#handle = handle;
  }

  // Choosing a side of a pair.

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
   * Queues a descriptor, or an object that has one: see docs/descriptors.md. The callback
   * or promise reports that the kernel has taken it, not that the peer has.
   *
   * @param {any} item
   * @param {{ keep?: boolean } | ((error: Error | null) => void)} [options]
   * @param {(error: Error | null) => void} [callback]
   * @returns {Promise<void> | undefined} a promise if there is no callback
   * @throws ERR_INVALID_ARG_TYPE, ERR_DESCRIPTOR_CLOSED, ERR_DESCRIPTOR_UNREAD_DATA,
   *   ERR_PASSER_NO_SIDE, ERR_PASSER_CLOSED, or the error that ended the passer
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
    if (this.#outbox.failure !== null) throw this.#outbox.failure;
    const { fd, settle } = sendable(item, options?.keep === true);
    this.#outbox.push({ fd, settle, callback, status: undefined });
    return undefined;
  }

  // Receiving.

  /**
   * Asks for one descriptor. The socket is read only as far as descriptors were asked for.
   *
   * @param {(error: Error | null, descriptor?: Descriptor) => void} [callback]
   * @returns {Promise<Descriptor> | undefined} a promise if there is no callback. It
   *   rejects with ERR_PASSER_ENDED if the peer has ended in an orderly way
   * @throws ERR_PASSER_NO_SIDE, ERR_PASSER_CLOSED, or the error that ended the passer
   */
  receive(callback) {
    if (callback === undefined) {
      return new Promise((resolve, reject) => {
        this.receive((error, descriptor) => (error ? reject(error) : resolve(descriptor)));
      });
    }
    validateFunction(callback, 'callback');
    this.#ready();
    this.#inbox.receive(callback);
    return undefined;
  }

  #onReadEnd(status) {
    if (status === UV_EOF) {
      this.#inbox.end(plain('ERR_PASSER_ENDED'));
      this.emit('end');
    } else {
      const error = receiveException(status);
      const isHeard = this.#inbox.waiting > 0;
      this.#inbox.end(error);
      if (!isHeard || this.listenerCount('error') > 0) this.emit('error', error);
    }
  }

  /** Yields descriptors as they come, until the peer ends. Leaving the loop does not close the passer. */
  [Symbol.asyncIterator]() {
    return this.#inbox.iterate(() => this.receive());
  }

  // Ending.

  /** Closes once every queued descriptor was sent or has failed. */
  async end() {
    this.#ready();
    await this.#outbox.drain();
    this.close();
  }

  /** Closes at once. Waiting calls fail with ERR_PASSER_CLOSED, sends also with ECANCELED. */
  close() {
    if (this.#isClosed) return;
    this.#isClosed = true;
    closeAll(this.#pair ?? []);
    this.#outbox.close();
    this.#inbox.close(plain('ERR_PASSER_CLOSED'));
    if (this.#handle === null) {
      process.nextTick(() => this.emit('close'));
    } else {
      this.#handle.close(() => this.emit('close'));
    }
  }

  /**
   * Closes the passer and returns its socket as a Descriptor, to be sent or transferred.
   *
   * @throws ERR_DESCRIPTOR_UNREAD_DATA if descriptors would be lost
   */
  detach() {
    const handle = this.#ready();
    if (this.#inbox.unread > 0 || this.#outbox.hasBatch) throw plain('ERR_DESCRIPTOR_UNREAD_DATA');
    const fd = handle.detach();
    if (fd < 0) throw plain('ERR_DESCRIPTOR_UNREAD_DATA');
    this.#isClosed = true;
    this.#outbox.close();
    this.#inbox.end(plain('ERR_PASSER_CLOSED'));
    handle.onclose = () => this.emit('close');
    return Descriptor.from(fd);
  }

  /** Lends its socket, so that a passer can be sent, too. */
  [kLend]({ keep }) {
    return lendHandle(this.#isClosed ? null : this.#handle, {
      keep,
      hasData: this.#inbox.unread + this.#outbox.length > 0,
      stopReading: () => this.#handle.readStop(),
      close: () => this.close(),
    });
  }

  // Descriptor, state and counters.

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
   * sent, received, failed: descriptors so far. queued: descriptors still to be sent.
   * waiting: calls of receive() that wait. unclaimed: descriptors received but not asked
   * for. tableWaits: how often the table was full; isWaitingForTable: it is full now.
   * sendWaits: how often the kernel had too many descriptors in flight. isNonBlocking: the
   * socket's flag.
   */
  stats() {
    const counters = this.#handle?.counters;
    const fd = this.fd;
    return {
      ...this.#outbox.counts,
      received: this.#inbox.count,
      queued: this.#outbox.length,
      waiting: this.#inbox.waiting,
      unclaimed: this.#inbox.unread,
      tableWaits: counters?.tableWaits ?? 0,
      isWaitingForTable: counters?.isWaitingForTable ?? false,
      sendWaits: counters?.sendWaits ?? 0,
      isNonBlocking: fd >= 0 && isNonBlocking(fd),
    };
  }

  [Symbol.dispose]() {
    this.close();
  }

  async [Symbol.asyncDispose]() {
    if (!this.#isClosed) await this.end();
  }
}

module.exports = { DescriptorPasser };
