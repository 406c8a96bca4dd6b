'use strict';

// Numbers of descriptors that the user gives to us. In a worker thread Node counts those
// of fs.openSync() and closes them when the thread ends, even if another
// thread has the number by then. So in a worker we take a copy, and close the number as Node wants
// it closed. A number that a handle has is refused, because its owner did not give it away.

const fs = require('node:fs');
const { isMainThread } = require('node:worker_threads');

const binding = require('../base/binding.js');
const { UV_EEXIST } = require('../base/constants.js');
const { errnoException } = require('../base/errors.js');
const { validateInt32 } = require('../base/validate.js');

const LAST_STANDARD = 2; // 0, 1 and 2 are the process's, and Node counts none of them.

// Numbers that this thread's addon made or accepted: Node does not count them, and no
// handle has them.
const isFree = (fd) => fd <= LAST_STANDARD || binding.isOwn(fd);

const nothing = () => {};
const asItIs = (fd) => ({ fd, commit: nothing, undo: nothing });

/**
 * Returns a number that only we own, in place of `fd`; the caller owns `fd` until commit().
 *
 * @returns {{ fd: number, commit: () => void, undo: () => void }} fd: the number, or a negative errno
 */
function prepareNumber(fd) {
  if (isFree(fd)) return asItIs(fd);
  if (binding.hasHandle(fd)) return asItIs(UV_EEXIST);
  if (isMainThread) return asItIs(fd);
  const copy = binding.duplicateFd(fd);
  if (copy < 0) return asItIs(copy);
  return { fd: copy, commit: () => closeCounted(fd), undo: () => binding.closeFd(copy) };
}

/**
 * Checks that `fd` is an open number, then does the same as prepareNumber().
 *
 * @throws ERR_INVALID_ARG_TYPE, ERR_OUT_OF_RANGE, EBADF, EEXIST, EMFILE
 */
function prepareOpenNumber(fd) {
  validateInt32(fd, 'fd', 0);
  const flags = binding.getFlags(fd);
  const takeover = flags < 0 ? asItIs(flags) : prepareNumber(fd);
  if (takeover.fd < 0) throw errnoException(takeover.fd, 'fcntl');
  return takeover;
}

/**
 * Lets `open` take over the descriptor, under this number or another one.
 *
 * @param {number} fd
 * @param {(fd: number) => number} open returns 0 or a negative errno
 * @returns {number} the same; after a failure the number is still the caller's
 */
function adoptNumber(fd, open) {
  const takeover = prepareNumber(fd);
  const err = takeover.fd < 0 ? takeover.fd : open(takeover.fd);
  if (err === 0) takeover.commit();
  else takeover.undo();
  return err;
}

// Node warns if it has not counted the number. The warning is of no use to the user.
function closeCounted(fd) {
  const { emitWarning } = process;
  process.emitWarning = () => {};
  try {
    fs.closeSync(fd);
  } finally {
    process.emitWarning = emitWarning;
  }
}

module.exports = { adoptNumber, prepareOpenNumber };
