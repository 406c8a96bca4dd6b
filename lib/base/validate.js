'use strict';

// Each validator returns nothing, or throws an error with Node's code and message.

const { invalidArgType, invalidArgValue, outOfRange, badPort } = require('./errors.js');

function validateString(value, name) {
  if (typeof value !== 'string') throw invalidArgType(name, 'string', value);
}

function validateBoolean(value, name) {
  if (typeof value !== 'boolean') throw invalidArgType(name, 'boolean', value);
}

function validateArray(value, name) {
  if (!Array.isArray(value)) throw invalidArgType(name, 'Array', value);
}

/** Limits the length of an array: a walk through a sparse one takes as long as a full one. */
function validateLength(list, name, max) {
  if (list.length > max) throw outOfRange(`${name}.length`, `<= ${max}`, list.length);
}

/** Accepts an object that is neither an array nor a function. */
function validateObject(value, name) {
  if (value === null || typeof value !== 'object' || Array.isArray(value)) throw invalidArgType(name, 'Object', value);
}

function validateFunction(value, name) {
  if (typeof value !== 'function') throw invalidArgType(name, 'Function', value);
}

function validateNumber(value, name, min = undefined, max = undefined) {
  if (typeof value !== 'number') throw invalidArgType(name, 'number', value);
  const tooSmall = min !== undefined && value < min;
  const tooLarge = max !== undefined && value > max;
  if (!tooSmall && !tooLarge && !(Number.isNaN(value) && (min !== undefined || max !== undefined))) return;
  const range = [min === undefined ? '' : `>= ${min}`, max === undefined ? '' : `<= ${max}`];
  throw outOfRange(name, range.filter(Boolean).join(' && '), value);
}

function validateInteger(value, name, min, max) {
  if (typeof value !== 'number') throw invalidArgType(name, 'number', value);
  if (!Number.isInteger(value)) throw outOfRange(name, 'an integer', value);
  if (value < min || value > max) throw outOfRange(name, `>= ${min} && <= ${max}`, value);
}

function validateInt32(value, name, min = -(2 ** 31), max = 2 ** 31 - 1) {
  validateInteger(value, name, min, max);
}

/** Accepts a port from 0 to 65535, as a number or a string. */
function validatePort(value, name = 'Port') {
  const isNumeric = typeof value === 'number' || (typeof value === 'string' && value.trim().length > 0);
  if (!isNumeric || +value !== +value >>> 0 || +value > 0xffff) throw badPort(name, value);
}

function validateAbortSignal(value, name) {
  if (value === null || typeof value !== 'object' || !('aborted' in value)) {
    throw invalidArgType(name, 'AbortSignal', value);
  }
}

/** Accepts a value of the list `accepted`; undefined must be in it too. */
function validateOneOf(value, name, accepted) {
  if (accepted.includes(value)) return;
  const list = accepted.map((item) => (typeof item === 'string' ? `'${item}'` : String(item))).join(', ');
  throw invalidArgValue(name, value, `must be one of: ${list}`);
}

module.exports = {
  validateAbortSignal,
  validateArray,
  validateBoolean,
  validateFunction,
  validateInt32,
  validateInteger,
  validateLength,
  validateNumber,
  validateObject,
  validateOneOf,
  validatePort,
  validateString,
};
