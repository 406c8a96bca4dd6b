'use strict';

// The inode of a descriptor, by which processes tell each other that a number is what it was.

const { fstatSync } = require('node:fs');

/**
 * With `bigint`, since Node 20 and 22 keep what the last other stat() of a socket or pipe found,
 * and then do not follow symbolic links when they load modules (as those of pnpm are).
 *
 * @returns {number | undefined} undefined if the descriptor is not open
 */
function inodeOf(fd) {
  try {
    return Number(fstatSync(fd, { bigint: true }).ino);
  } catch {
    return undefined;
  }
}

module.exports = { inodeOf };
