'use strict';

// Lending a descriptor: what everything of ours that has one can do.
//
//   object[kLend]({ keep }) -> { fd, settle(sent) }
//
// The descriptor stays open until settle() is called, once. If it was sent and `keep`
// is not set, the object closes then; otherwise the object goes on as before. Throws
// ERR_DESCRIPTOR_CLOSED, EMFILE, or ERR_DESCRIPTOR_UNREAD_DATA if the object holds data
// that the receiver would miss.

const binding = require('../base/binding.js');
const { errnoException, plain } = require('../base/errors.js');
const { forgetFile } = require('../base/socket_files.js');

// Shared by all copies of the package in a process.
const kLend = Symbol.for('pipewright.lend');

const nothing = () => {};

/** Lends what stays its owner's, whatever becomes of it. */
function borrow(fd) {
  if (!(fd >= 0)) throw plain('ERR_DESCRIPTOR_CLOSED');
  return { fd, settle: nothing };
}

// Objects that others may close at any time lend a copy: while it waits to be sent, their
// own number may become another file's.
function lendCopy(fd, whenSettled) {
  const copy = binding.duplicateFd(fd);
  if (copy < 0) throw errnoException(copy, 'fcntl');
  return {
    fd: copy,
    settle(sent) {
      binding.closeFd(copy);
      whenSettled(sent);
    },
  };
}

/** Lends what an object has open and keeps. */
function lendKept(fd) {
  return lendCopy(borrow(fd).fd, nothing);
}

/**
 * Lends the descriptor of a handle.
 *
 * @param {any} handle null once it was closed
 * @param {object} owner
 * @param {boolean} owner.keep
 * @param {boolean} owner.hasData read but not consumed, or written but not sent
 * @param {() => void} owner.stopReading
 * @param {() => void} owner.close
 */
function lendHandle(handle, { keep, hasData, stopReading, close }) {
  const { fd } = borrow(handle?.fd);
  if (!keep && (hasData || handle.writeQueueSize > 0 || handle.hasUnread?.())) {
    throw plain('ERR_DESCRIPTOR_UNREAD_DATA');
  }
  const lent = lendCopy(fd, (sent) => sent && !keep && close());
  keepFile(handle);
  if (!keep) stopReading();
  return lent;
}

/** Lends the descriptor of a Listener. Clients that wait in its backlog go with it. */
function lendListener(listener, { keep, close }) {
  const { fd } = borrow(listener?.fd);
  const lent = lendCopy(fd, (sent) => sent && !keep && close());
  keepFile(listener);
  return lent;
}

// The file at its path is the receiver's from now on, or shared with it.
function keepFile(handle) {
  if (handle.keepFile === undefined) return;
  handle.keepFile();
  forgetFile(handle);
}

module.exports = { borrow, kLend, lendHandle, lendKept, lendListener };
