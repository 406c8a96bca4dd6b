'use strict';

// Converts the argument of `new DescriptorPasser()` to one complete, frozen object.

const { Descriptor } = require('../fd/descriptor.js');
const { MAX_DESCRIPTORS } = require('../base/constants.js');
const { invalidArgType, invalidArgValue } = require('../base/errors.js');
const { kLend } = require('../fd/lend.js');
const { prepareOpenNumber } = require('../fd/own_number.js');
const { prepareDescriptor } = require('../fd/sendable.js');
const { validateBoolean, validateInteger } = require('../base/validate.js');

const DEFAULTS = Object.freeze({
  sockets: [],
  batch: 1,
  maxDescriptors: MAX_DESCRIPTORS,
  setNonBlocking: true,
});

function shape(target) {
  if (target === undefined) return {};
  if (isSocket(target)) return { sockets: [target] };
  if (typeof target !== 'object' || target === null) {
    throw invalidArgType('target', ['number', 'Descriptor', 'Socket', 'Object'], target);
  }
  const { socket, ...options } = target;
  return socket === undefined ? options : { ...options, sockets: [socket] };
}

const isSocket = (target) =>
  typeof target === 'number' || typeof target?.[kLend] === 'function' || typeof target?._handle === 'object';

// Takes ownership of all sockets. If one cannot be taken, throws and leaves all as they were.
function ownAll(sockets) {
  const takeovers = [];
  try {
    for (const socket of sockets)
      takeovers.push(typeof socket === 'number' ? prepareGivenNumber(socket) : prepareDescriptor(socket));
  } catch (error) {
    for (const { undo } of takeovers) undo();
    throw error;
  }
  return takeovers.map(({ commit }) => commit());
}

// As in Descriptor.from(), a number is not borrowed: the passer owns it from then on.
function prepareGivenNumber(number) {
  const { fd, commit, undo } = prepareOpenNumber(number);
  return {
    commit() {
      commit();
      return new Descriptor(fd);
    },
    undo,
  };
}

function normalizePasserOptions(target) {
  const options = { ...DEFAULTS, ...shape(target) };
  if (!Array.isArray(options.sockets)) throw invalidArgType('options.sockets', 'Array', options.sockets);
  if (options.sockets.length > 2) {
    throw invalidArgValue('options.sockets', options.sockets, 'must be one socket or a pair');
  }
  if (options.sockets.length === 2 && options.sockets[0] === options.sockets[1]) {
    throw invalidArgValue('options.sockets', options.sockets, 'must be two different sockets');
  }
  validateInteger(options.batch, 'options.batch', 1, MAX_DESCRIPTORS);
  validateInteger(options.maxDescriptors, 'options.maxDescriptors', 1, MAX_DESCRIPTORS);
  validateBoolean(options.setNonBlocking, 'options.setNonBlocking');
  return Object.freeze({ ...options, given: options.sockets[0], sockets: ownAll(options.sockets) });
}

module.exports = { normalizePasserOptions };
