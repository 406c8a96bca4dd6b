'use strict';

// Lending a descriptor to be sent. Every object of ours that has one has this method:
//
//   object[kLend]({ keep }) -> { fd, settle(sent) }
//
// The descriptor stays open until settle() is called, which must happen once. If `sent` is
// true and `keep` is not, settle() closes the object; otherwise the object stays as it was.
// kLend throws ERR_DESCRIPTOR_CLOSED, EMFILE, or ERR_DESCRIPTOR_UNREAD_DATA if the object
// holds data that the receiver would miss.

const binding = require('../base/binding.js');
const { errnoException, plain } = require('../base/errors.js');
const { forgetFile } = require('../base/socket_files.js');

// Shared by all copies of the package in a process.
const kLend = Symbol.for('pipewright.lend');

const nothing = () => {};

/** Lends a number that its owner keeps, sent or not. */
function borrow(fd) {
  if (!(fd >= 0)) throw plain('ERR_DESCRIPTOR_CLOSED');
  return { fd, settle: nothing };
}

// Lends a copy. Other code may close the object while the descriptor waits to be sent, and
// its number may then belong to another file.
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

/** Lends a copy of a descriptor that its owner keeps, sent or not. */
function lendKept(fd) {
  return lendCopy(borrow(fd).fd, nothing);
}

/**
 * Lends the descriptor of a handle.
 *
 * @param {any} handle null after it was closed
 * @param {object} owner
 * @param {boolean} owner.keep
 * @param {boolean} owner.hasData true if bytes were read but not consumed, or written but not sent
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

/** Lends the descriptor of a Listener. The receiver also gets the clients in its backlog. */
function lendListener(listener, { keep, close }) {
  const { fd } = borrow(listener?.fd);
  const lent = lendCopy(fd, (sent) => sent && !keep && close());
  keepFile(listener);
  return lent;
}

// From now on the receiver owns or shares the file at the path, so we do not remove it.
function keepFile(handle) {
  if (handle.keepFile === undefined) return;
  handle.keepFile();
  forgetFile(handle);
}

module.exports = { borrow, kLend, lendHandle, lendKept, lendListener };
