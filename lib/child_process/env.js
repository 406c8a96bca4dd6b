'use strict';

// The child's environment, as the list of NAME=value that execve(2) takes.

const { permissionFlags } = require('./permission.js');
const { validateNoNul } = require('./paths.js');

/**
 * @param {object | null | undefined} env
 * @param {string[]} args of the child; if they set permissions, the parent's are not added
 * @returns {string[]}
 */
function environmentPairs(env, args) {
  const source = env || process.env;
  const pairs = [];
  for (const name of namesOf(source)) {
    const value = source[name]; // Each read of process.env is a call into C++.
    if (value !== undefined) addPair(pairs, name, value);
  }
  addForced(pairs, source, args);
  return pairs;
}

// As in Node, names that `env` inherits from its prototype are passed too.
function namesOf(source) {
  if (source === process.env) return Object.keys(source);
  const names = [];
  for (const name in source) names.push(name);
  return names;
}

function addPair(pairs, name, value) {
  const pair = `${name}=${value}`;
  if (pair.includes('\0')) {
    validateNoNul(name, `options.env['${name}']`);
    validateNoNul(value, `options.env['${name}']`);
  }
  pairs.push(pair);
}

// Adds what a child needs even if its `env` lacks it: the folder for coverage data, and
// the permissions of its parent.
function addForced(pairs, source, args) {
  const coverage = process.env.NODE_V8_COVERAGE;
  if (coverage && !Object.hasOwn(source, 'NODE_V8_COVERAGE')) pairs.push(`NODE_V8_COVERAGE=${coverage}`);
  const flags = permissionFlags(args, source.NODE_OPTIONS);
  if (flags === undefined) return;
  const at = pairs.findIndex((pair) => pair.startsWith('NODE_OPTIONS='));
  if (at >= 0) pairs.splice(at, 1);
  pairs.push(`NODE_OPTIONS=${flags}`);
}

module.exports = { environmentPairs };
