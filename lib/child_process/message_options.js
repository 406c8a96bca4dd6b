'use strict';

// The options of a child's channels.

const { MAX_STRING_LENGTH } = require('node:buffer').constants;

const { MAX_TIMER } = require('../base/constants.js');
const { validateInteger, validateOneOf } = require('../base/validate.js');
const { normalizeChannelOptions } = require('../channel/options.js');

const MAX_MESSAGE_BYTES = 2 ** 32 - 1; // A frame's length has 32 bits.

const MESSAGE_DEFAULTS = Object.freeze({
  handleTimeout: 0, // Milliseconds; 0 is none.
  maxMessageBytes: MAX_STRING_LENGTH, // More, JSON.parse() could not take.
  pipewrightChannel: null,
  serialization: 'json',
});

/**
 * @param {any} options with the defaults
 * @param {any} given by the caller
 * @throws ERR_INVALID_ARG_TYPE, ERR_INVALID_ARG_VALUE, ERR_OUT_OF_RANGE
 */
function normalizeMessages({ handleTimeout, maxMessageBytes, pipewrightChannel, serialization }, given) {
  validateOneOf(given.serialization, 'options.serialization', [undefined, 'json', 'advanced']); // null is refused.
  validateInteger(handleTimeout, 'options.handleTimeout', 0, MAX_TIMER);
  validateInteger(maxMessageBytes, 'options.maxMessageBytes', 1, MAX_MESSAGE_BYTES);
  return { handleTimeout, maxMessageBytes, pipewrightChannel: toChannelOptions(pipewrightChannel), serialization };
}

// Those of `new Channel()`, or null for none.
function toChannelOptions(given) {
  if (given === null || given === false) return null;
  return normalizeChannelOptions(given === true ? {} : given);
}

module.exports = { MESSAGE_DEFAULTS, normalizeMessages };
