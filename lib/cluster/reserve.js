'use strict';

// Descriptors held back for the start of a worker. Without them, a primary whose table is full of
// connections could start no worker in the place of its last one. It would keep the connections
// for ever, because only a worker takes them.

const { closeSync, openSync } = require('node:fs');

class Reserve {
  #size;
  #fds = [];

  /** @param {number} size how many descriptors */
  constructor(size) {
    this.#size = size;
  }

  /** Takes what is missing, as far as there is room. */
  fill() {
    try {
      while (this.#fds.length < this.#size) this.#fds.push(openSync('/dev/null', 'r'));
    } catch {
      // The table is full: the next call tries again.
    }
  }

  /** Gives all of them up. */
  release() {
    for (const fd of this.#fds.splice(0)) closeSync(fd);
  }
}

module.exports = { Reserve };
