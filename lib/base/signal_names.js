'use strict';

// Signals by name and by number.

const { signals } = require('node:os').constants;

const { unknownSignal } = require('./errors.js');

const numbers = new Map(Object.entries(signals));
// If two names have one number (SIGIOT is SIGABRT, SIGPOLL is SIGIO), the first one wins,
// as in Node.
const names = new Map([...numbers].reverse().map(([name, number]) => [number, name]));

/**
 * @param {string | number} signal a name, in any case, or a number
 * @returns {number}
 * @throws ERR_UNKNOWN_SIGNAL
 */
function signalNumber(signal) {
  const number = typeof signal === 'number' ? signal : numbers.get(String(signal).toUpperCase());
  if (!names.has(number)) throw unknownSignal(signal);
  return number;
}

/** @returns {string} such as 'SIGTERM'; a real-time signal has no name in Node and gets 'SIGRTMIN+n' here */
function signalName(number) {
  return names.get(number) ?? `SIGRTMIN+${number - 34}`;
}

module.exports = { signalName, signalNumber };
