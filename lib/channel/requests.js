'use strict';

// Requests that wait for their reply, by id.

const { aborted, plain } = require('../base/errors.js');

const MAX_ID = 2 ** 32 - 1;

class Requests {
  #pending = new Map(); // { resolve, reject, settle, timer, signal, onAbort, isTaken } by id.
  #lastId = 0;

  get size() {
    return this.#pending.size;
  }

  /** An id that no pending request has. */
  newId() {
    do {
      this.#lastId = this.#lastId === MAX_ID ? 1 : this.#lastId + 1;
    } while (this.#pending.has(this.#lastId));
    return this.#lastId;
  }

  /**
   * @param {number} id
   * @param {number} timeout milliseconds; 0 for none
   * @param {AbortSignal | undefined} signal
   * @param {((sent: boolean) => void) | null} settle what is to be called once the
   *   descriptors are the peer's, or cannot become it
   * @returns {Promise<{ message: any, descriptors: readonly any[] }>}
   */
  add(id, timeout, signal, settle) {
    return new Promise((resolve, reject) => {
      const request = { resolve, reject, settle, timer: null, signal, onAbort: null, isTaken: false };
      this.#pending.set(id, request);
      if (timeout > 0) {
        // The channel keeps the loop awake, if it is to be kept awake.
        request.timer = setTimeout(() => this.#abandon(id, plain('ERR_CHANNEL_REQUEST_TIMEOUT')), timeout).unref();
      }
      if (signal !== undefined) {
        request.onAbort = () => this.#abandon(id, aborted(signal.reason));
        signal.addEventListener('abort', request.onAbort, { once: true });
      }
    });
  }

  // The reply is wanted no more. The request is sent all the same.
  #abandon(id, error) {
    const request = this.#remove(id);
    if (request === undefined) return;
    // The frame is the kernel's, or will be: then taken() settles.
    if (request.settle !== null && request.isTaken) this.#settle(request, true);
    request.reject(error);
  }

  /** What to do when the outcome of writing the frame is known; undefined for nothing. */
  whenTaken(id) {
    const request = this.#pending.get(id);
    if (request.settle === null) return undefined;
    return (error) => {
      request.isTaken = true;
      if (error !== null || this.#pending.get(id) !== request) this.#settle(request, error === null);
    };
  }

  #settle(request, sent) {
    const { settle } = request;
    request.settle = null;
    settle?.(sent);
  }

  #remove(id) {
    const request = this.#pending.get(id);
    if (request === undefined) return undefined;
    this.#pending.delete(id);
    if (request.timer !== null) clearTimeout(request.timer);
    if (request.onAbort !== null) request.signal.removeEventListener('abort', request.onAbort);
    return request;
  }

  /**
   * The pending request with this id, which is pending no more; undefined if there is none.
   *
   * @returns {{ resolve: Function, reject: Function } | undefined}
   */
  takeAnswered(id) {
    const request = this.#remove(id);
    if (request !== undefined && request.settle !== null) this.#settle(request, true);
    return request;
  }

  /** The request was not sent, and its descriptors are settled. */
  fail(id, error) {
    const request = this.#remove(id);
    request.settle = null;
    request.reject(error);
  }

  /** No reply will come. */
  close(error) {
    for (const id of [...this.#pending.keys()]) {
      const request = this.#remove(id);
      this.#settle(request, false);
      request.reject(error);
    }
  }
}

module.exports = { Requests };
