'use strict';

// The descriptors of a frame on their way to the kernel.

const { sendableList } = require('../fd/sendable.js');

/**
 * Lends every item, or none.
 *
 * @param {any[]} items as sendable.js takes them
 * @param {boolean} keep
 * @returns {{ fds: Int32Array, settle: (sent: boolean) => void }} settle: to be called once
 * @throws as sendable()
 */
function lend(items, keep) {
  const parts = sendableList(items, keep);
  return {
    fds: Int32Array.from(parts, ({ fd }) => fd),
    settle(sent) {
      for (const part of parts) part.settle(sent);
    },
  };
}

module.exports = { lend };
