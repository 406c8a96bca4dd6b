'use strict';

// Checks of the strings and paths of an options object.

const { fileURLToPath } = require('node:url');
const { isUint8Array } = require('node:util/types');

const { invalidArgType, invalidArgValue } = require('../base/errors.js');

/** Rejects a string with a NUL inside: a C string would end there. */
function validateNoNul(value, name) {
  if (typeof value === 'string' && value.includes('\0')) {
    throw invalidArgValue(name, value, 'must be a string without null bytes');
  }
}

function validateNoNuls(values, name) {
  for (let i = 0; i < values.length; i++) validateNoNul(values[i], `${name}[${i}]`);
}

/** Converts a path to a string. It takes what node:fs takes: a string, a Buffer or a file: URL. */
function toPath(value, name) {
  const path = isUrl(value) ? fileURLToPath(value) : value;
  const isBytes = isUint8Array(path);
  if (!isBytes && typeof path !== 'string') throw invalidArgType(name, ['string', 'Buffer', 'URL'], value);
  if (isBytes ? path.includes(0) : path.includes('\0')) {
    throw invalidArgValue(name, path, 'must be a string, Uint8Array, or URL without null bytes');
  }
  return isBytes ? Buffer.from(path).toString() : path;
}

function isUrl(value) {
  return Boolean(value?.href && value.protocol && value.auth === undefined && value.path === undefined);
}

module.exports = { toPath, validateNoNul, validateNoNuls };
