'use strict';

// What can be sent in place of a descriptor: a number, what has [kLend], and Node's own
// objects. Numbers and Node's objects are borrowed and stay the caller's.

const binding = require('../base/binding.js');
const { errnoException, invalidArgType } = require('../base/errors.js');
const { Descriptor } = require('./descriptor.js');
const { borrow, kLend, lendKept } = require('./lend.js');
const { fdOf } = require('./node_objects.js');

const ACCEPTED = ['number', 'Descriptor', 'Socket', 'Server', 'FileHandle', 'ChildProcess'];

/**
 * @param {any} item
 * @param {boolean} keep whether what is ours stays open after it was sent
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

/** Lends every item of a list, or none: if one throws, the others are settled as unsent. */
function sendableList(list, keep) {
  const parts = [];
  try {
    for (const item of list) parts.push(sendable(item, keep));
  } catch (error) {
    for (const { settle } of parts) settle(false);
    throw error;
  }
  return parts;
}

/**
 * A Descriptor of the same, which is then its only owner: an object of ours is closed,
 * of numbers and Node's objects a copy is made.
 *
 * @throws as sendable(), EMFILE
 */
function toDescriptor(item) {
  return prepareDescriptor(item).commit();
}

/** toDescriptor() in two steps: until commit(), which gives the Descriptor, undo() leaves all as it was. */
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
