'use strict';

// Gets the descriptor of anything that can be sent: a number, an object with [kLend], or
// one of Node's own objects. Numbers and Node's objects are borrowed; the caller keeps them.

const binding = require('../base/binding.js');
const { callSafely } = require('../base/callback.js');
const { errnoException, invalidArgType } = require('../base/errors.js');
const { Descriptor } = require('./descriptor.js');
const { borrow, kLend, lendKept } = require('./lend.js');
const { fdOf } = require('./node_objects.js');

const ACCEPTED = ['number', 'Descriptor', 'Socket', 'Server', 'FileHandle', 'ChildProcess'];

/**
 * Lends the descriptor of one item.
 *
 * @param {any} item
 * @param {boolean} keep true: an object of ours stays open after it was sent
 * @returns {{ fd: number, settle: (sent: boolean) => void }} as lend.js describes it
 * @throws ERR_INVALID_ARG_TYPE, ERR_DESCRIPTOR_CLOSED, ERR_DESCRIPTOR_UNREAD_DATA, EMFILE
 */
function sendable(item, keep) {
  if (Number.isInteger(item) && item >= 0) return borrow(item);
  if (typeof item !== 'object' || item === null) throw invalidArgType('descriptor', ACCEPTED, item);
  if (typeof item[kLend] === 'function') return item[kLend]({ keep });
  const fd = fdOf(item);
  if (fd === undefined) throw invalidArgType('descriptor', ACCEPTED, item);
  return lendKept(fd);
}

/**
 * Lends every item of a list, or none: if one throws, the others are settled as unsent.
 *
 * @param {Iterable<any>} list
 * @param {boolean} keep
 * @param {typeof sendable} [lendOne]
 * @returns {{ fds: Int32Array, settle: (sent: boolean) => void }} settle: to be called once; an
 *   owner that throws keeps none of the others from being told
 */
function sendableList(list, keep, lendOne = sendable) {
  const parts = [];
  const settle = (sent) => {
    for (const part of parts) callSafely(part.settle, sent);
  };
  try {
    for (const item of list) parts.push(lendOne(item, keep));
  } catch (error) {
    settle(false);
    throw error;
  }
  return { fds: Int32Array.from(parts, ({ fd }) => fd), settle };
}

/**
 * Returns a Descriptor of the same open file. An object of ours is closed, so that the
 * Descriptor is the only owner; a number or an object of Node's is copied.
 *
 * @throws as sendable(), EMFILE
 */
function toDescriptor(item) {
  return prepareDescriptor(item).commit();
}

/** toDescriptor() in two steps: then commit() returns the Descriptor, or undo() leaves all as it was. */
function prepareDescriptor(item) {
  if (Descriptor.isDescriptor(item)) return { commit: () => item, undo() {} };
  const { fd, settle } = sendable(item, false);
  const copy = binding.duplicateFd(fd);
  if (copy < 0) {
    settle(false);
    throw errnoException(copy, 'fcntl');
  }
  return {
    commit() {
      settle(true);
      return new Descriptor(copy);
    },
    undo() {
      settle(false);
      binding.closeFd(copy);
    },
  };
}

module.exports = { prepareDescriptor, sendable, sendableList, toDescriptor };
