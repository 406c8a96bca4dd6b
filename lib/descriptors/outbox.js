'use strict';

// The queue of a passer's descriptors. An entry `{ fd, settle, callback, status }` is in it
// from send() until the kernel has taken the descriptor, or sending it has failed.

const { callSafely } = require('../base/callback.js');
const { errnoException, plain } = require('../base/errors.js');
const { Queue } = require('../base/queue.js');

// The peer is gone: later descriptors cannot be sent either.
const FINAL = new Set(['EPIPE', 'ECONNRESET', 'ENOTCONN']);

class Outbox {
  #handle = null;
  #batchSize;
  #batch = []; // Entries that wait for the batch to fill, or the tick to end.
  #sends = new Queue(); // Entries that the handle has; `status` is undefined until the outcome is known.
  #isClosed = false;
  #failure = null;
  #counts = { sent: 0, failed: 0 };
  #whenEmpty = [];

  /** @param {number} batchSize how many descriptors a message has */
  constructor(batchSize) {
    this.#batchSize = batchSize;
  }

  open(handle) {
    this.#handle = handle;
    handle.onsent = (count, status) => this.#onSent(count, status);
  }

  /** The number of entries whose outcome is not known. */
  get length() {
    return this.#sends.length + this.#batch.length;
  }

  get hasBatch() {
    return this.#batch.length > 0;
  }

  /** The error after which nothing more can be sent, or null. */
  get failure() {
    return this.#failure;
  }

  /** { sent, failed }: numbers of descriptors so far. */
  get counts() {
    return this.#counts;
  }

  push(entry) {
    if (this.#batchSize === 1) {
      this.#passOne(entry);
    } else {
      this.#addToBatch(entry);
    }
  }

  #addToBatch(entry) {
    this.#batch.push(entry);
    if (this.#batch.length === this.#batchSize) {
      this.flush();
    } else if (this.#batch.length === 1) {
      process.nextTick(() => this.flush());
    }
  }

  /** Gives an incomplete batch to the handle. */
  flush() {
    if (this.#batch.length === 0) return;
    const entries = this.#batch;
    this.#batch = [];
    this.#pass(entries);
  }

  #passOne(entry) {
    const isIdle = this.#sends.length === 0;
    this.#sends.push(entry);
    if (this.#handle.sendDescriptors(entry.fd) === 0) return;
    entry.status = 0;
    // Callbacks never come before send() returns.
    if (isIdle) process.nextTick(() => this.#finish());
  }

  #pass(entries) {
    if (this.#isClosed || this.#failure !== null) {
      this.#fail(entries, this.#failure ?? plain('ERR_PASSER_CLOSED'));
      return;
    }
    const fds = new Int32Array(entries.length);
    for (let i = 0; i < entries.length; i++) fds[i] = entries[i].fd;
    const taken = this.#handle.sendDescriptors(fds, this.#batchSize);
    const isIdle = this.#sends.length === 0;
    for (let i = 0; i < entries.length; i++) {
      if (i < taken) entries[i].status = 0;
      this.#sends.push(entries[i]);
    }
    if (isIdle && taken > 0) process.nextTick(() => this.#finish());
  }

  // Called by completions.js. `status` is the outcome of the first `count` entries that the
  // kernel did not take at once.
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
        if (FINAL.has(error.code)) this.#failure ??= error;
      }
      settle(error === null);
      callSafely(callback, error);
    }
    if (this.#sends.length === 0) for (const resolve of this.#whenEmpty.splice(0)) resolve();
  }

  #fail(entries, error) {
    for (const { settle, callback } of entries) {
      this.#counts.failed += 1;
      settle(false);
      process.nextTick(callback, error);
    }
  }

  /** Resolves once the outcome of every entry is known. */
  async drain() {
    this.flush();
    if (this.#sends.length > 0) await new Promise((resolve) => this.#whenEmpty.push(resolve));
  }

  /** Fails the entries of an incomplete batch. The handle reports the outcome of its own. */
  close() {
    this.#isClosed = true;
    this.#fail(this.#batch.splice(0), plain('ERR_PASSER_CLOSED'));
  }
}

module.exports = { Outbox };
