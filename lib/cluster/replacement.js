'use strict';

// Workers that are to take the place of others, together: all of them, or none.

const { clusterReloadFailed } = require('../base/errors.js');

class Replacement {
  #start;
  #workers = new Map(); // By slot.
  #error = null;
  #fail;
  #failure = new Promise((resolve) => (this.#fail = resolve));

  /** @param {(slot: any) => any} start starts a worker */
  constructor(start) {
    this.#start = start;
  }

  /**
   * Starts a worker for each of the slots, the first alone: if it is not ready, no other is
   * started.
   *
   * @param {any[]} slots
   * @returns {Promise<Map<any, any>>} the workers by slot, all ready; rejects if one of them has
   *   ended, or with the error of cancel()
   */
  async run([first, ...others]) {
    await Promise.race([this.#begin(first), this.#failure]);
    if (this.#error === null) await Promise.race([Promise.all(others.map((slot) => this.#begin(slot))), this.#failure]);
    if (this.#error !== null) throw this.#error;
    return this.#workers;
  }

  #begin(slot) {
    const worker = this.#start(slot);
    this.#workers.set(slot, worker);
    worker.once('exit', (code, signal) => this.cancel(clusterReloadFailed(worker.error, code, signal)));
    return new Promise((resolve) => worker.once('ready', resolve));
  }

  cancel(error) {
    this.#error ??= error;
    this.#fail(undefined);
  }

  /** Those that were started. */
  get workers() {
    return [...this.#workers.values()];
  }
}

module.exports = { Replacement };
