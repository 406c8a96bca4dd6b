'use strict';

// How much a worker serves before another takes its place: `maxRequests` and `maxMemory`.

const { isMainThread } = require('node:worker_threads');

const LOOK_INTERVAL = 1000; // Milliseconds between two looks at the memory.
const MAX_LESS = 0.1; // Part by which a bound may be lower than asked for.

/**
 * The bounds of one worker, drawn between nine tenths of those asked for and these, so that
 * workers that started together do not end together.
 */
function drawLimits({ maxRequests, maxMemory }) {
  const draw = (bound) => Math.ceil(bound * (1 - Math.random() * MAX_LESS));
  return { maxRequests: draw(maxRequests), maxMemory: draw(maxMemory) };
}

/** In a worker: notices when it has reached one of them. */
class Limits {
  #left;
  #onReached;
  #timer = null;

  /**
   * @param {{ maxRequests: number, maxMemory: number }} limits 0: none
   * @param {(reason: 'requests' | 'memory') => void} onReached called once
   */
  constructor({ maxRequests, maxMemory }, onReached) {
    this.#left = maxRequests > 0 ? maxRequests : Infinity;
    this.#onReached = onReached;
    if (maxMemory > 0) {
      this.#timer = setInterval(() => {
        if (memoryInUse() > maxMemory) this.#reach('memory');
      }, LOOK_INTERVAL).unref();
    }
  }

  get hasMaxRequests() {
    return this.#left < Infinity;
  }

  /** One more request, or connection, was served. */
  count() {
    this.#left -= 1;
    if (this.#left <= 0) this.#reach('requests');
  }

  #reach(reason) {
    const onReached = this.#onReached;
    this.#left = Infinity;
    clearInterval(this.#timer);
    this.#onReached = () => {};
    onReached(reason);
  }
}

// Threads share the resident memory of their process.
function memoryInUse() {
  if (isMainThread) return process.memoryUsage.rss();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

module.exports = { Limits, drawLimits };
