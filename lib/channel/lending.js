'use strict';

// The descriptors of a frame on their way to the kernel.
//
// The kernel gets them by number, when the frame is written. Until then nothing may be
// settled: a number that was closed may belong to another file by the time of the write.

const { lendKept } = require('../fd/lend.js');
const { sendable, sendableList } = require('../fd/sendable.js');

// A number is lent as a copy: frames leave at the end of the turn or later, when the caller
// may have closed the number.
const lendOne = (item, keep) => (Number.isInteger(item) && item >= 0 ? lendKept(item) : sendable(item, keep));

/**
 * Lends every item, or none.
 *
 * @param {any[]} items as sendable.js takes them
 * @param {boolean} keep
 * @returns {{ fds: Int32Array, settle: (sent: boolean) => void }} settle: to be called once; never throws
 * @throws as sendable(), and EBADF for a number that is not open
 */
const lend = (items, keep) => sendableList(items, keep, lendOne);

/**
 * The descriptors of a request. They are settled once two things are known: that the kernel
 * has taken the frame, and how the request has ended.
 */
class RequestLoan {
  #lent;
  #isTaken = false;
  #isSent = undefined;

  /** @param {{ settle: (sent: boolean) => void }} lent */
  constructor(lent) {
    this.#lent = lent;
  }

  /** The outcome of the write. What the kernel has not taken was not sent. */
  taken(error) {
    this.#isTaken = true;
    if (error !== null) this.#isSent = false;
    this.#settle();
  }

  /** The request has ended; `isSent`: whether the descriptors count as the peer's. */
  ended(isSent) {
    this.#isSent ??= isSent;
    this.#settle();
  }

  #settle() {
    if (!this.#isTaken || this.#isSent === undefined || this.#lent === null) return;
    const { settle } = this.#lent;
    this.#lent = null;
    settle(this.#isSent);
  }
}

module.exports = { RequestLoan, lend };
