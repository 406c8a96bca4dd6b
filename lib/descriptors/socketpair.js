'use strict';

// socketpair(2): two connected Unix sockets.

const { socketPair } = require('../base/binding.js');
const { Descriptor } = require('../fd/descriptor.js');
const { errnoException } = require('../base/errors.js');
const { validateOneOf } = require('../base/validate.js');

const TYPES = { stream: 1, datagram: 2, seqpacket: 5 }; // SOCK_STREAM, SOCK_DGRAM, SOCK_SEQPACKET

/**
 * Makes two connected sockets as Descriptors, close-on-exec and non-blocking.
 *
 * @param {{ type?: 'stream' | 'datagram' | 'seqpacket' }} [options]
 * @returns {[Descriptor, Descriptor]}
 * @throws ERR_INVALID_ARG_VALUE, EMFILE, ENFILE
 */
function socketpair({ type = 'stream' } = {}) {
  validateOneOf(type, 'options.type', Object.keys(TYPES));
  const pair = socketPair(TYPES[type]);
  if (typeof pair === 'number') throw errnoException(pair, 'socketpair');
  return [Descriptor.from(pair[0]), Descriptor.from(pair[1])];
}

module.exports = { socketpair };
