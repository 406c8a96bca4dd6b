'use strict';

// Numbers of descriptors that the user gives to us. In a worker thread Node counts those
// of fs.openSync() and closes them when the thread ends, whoever has the number by then:
// another thread, too. So in a worker we take a copy, and close the number as Node wants
// it closed. A number that a handle has is refused: nobody gave it away.

const fs = require('node:fs');
const { isMainThread } = require('node:worker_threads');

const binding = require('../base/binding.js');
const { UV_EEXIST } = require('../base/constants.js');

const LAST_STANDARD = 2; // 0, 1 and 2 are the process's, and Node counts none of them.

// What this thread's addon has made or accepted, Node knows nothing of, and no handle has.
const isFree = (fd) => fd <= LAST_STANDARD || binding.isOwn(fd);

/**
 * A number that is ours alone, in place of this one.
 *
 * @returns {number} or a negative errno: then the number is still the caller's
 */
function ownNumber(fd) {
  if (isFree(fd)) return fd;
  if (binding.hasHandle(fd)) return UV_EEXIST;
  if (isMainThread) return fd;
  const copy = binding.duplicateFd(fd);
  if (copy >= 0) closeCounted(fd);
  return copy;
}

/**
 * Has `open` take over the descriptor: this number, or another one for it.
 *
 * @param {number} fd
 * @param {(fd: number) => number} open returns 0 or a negative errno
 * @returns {number} the same; after a failure the number is still the caller's
 */
function adoptNumber(fd, open) {
  if (isMainThread || isFree(fd)) return open(fd);
  if (binding.hasHandle(fd)) return UV_EEXIST;
  const copy = binding.duplicateFd(fd);
  const err = copy < 0 ? copy : open(copy);
  if (err === 0) closeCounted(fd);
  else if (copy >= 0) binding.closeFd(copy);
  return err;
}

// Of a number that it has not counted Node warns, which would tell the user nothing.
function closeCounted(fd) {
  const { emitWarning } = process;
  process.emitWarning = () => {};
  try {
    fs.closeSync(fd);
  } finally {
    process.emitWarning = emitWarning;
  }
}

module.exports = { adoptNumber, ownNumber };
