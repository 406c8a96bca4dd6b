'use strict';

// Requests that wait for their reply, by id.

const { aborted, plain } = require('../base/errors.js');

const MAX_ID = 2 ** 32 - 1;

class Requests {
  #pending = new Map(); // { resolve, reject, loan, timer, signal, onAbort } by id.
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
   * @param {import('./lending.js').RequestLoan | undefined} loan hears how the request ends
   * @returns {Promise<{ message: any, descriptors: readonly any[] }>}
   */
  add(id, timeout, signal, loan) {
    return new Promise((resolve, reject) => {
      const request = { resolve, reject, loan, timer: null, signal, onAbort: null };
      this.#pending.set(id, request);
      if (timeout > 0) {
        request.timer = setTimeout(() => this.#abandon(id, plain('ERR_CHANNEL_REQUEST_TIMEOUT')), timeout);
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
    request.loan?.ended(true);
    request.reject(error);
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
    request?.loan?.ended(true);
    return request;
  }

  /** The request was not queued. */
  fail(id, error) {
    this.#remove(id).reject(error);
  }

  /** No reply will come. */
  close(error) {
    for (const id of [...this.#pending.keys()]) {
      const request = this.#remove(id);
      request.loan?.ended(false);
      request.reject(error);
    }
  }
}

module.exports = { Requests };
