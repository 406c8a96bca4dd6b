'use strict';

// The child's environment, as the list of NAME=value that execve(2) takes.

const { isProxy } = require('node:util').types;
const { isMainThread } = require('node:worker_threads');

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

const PROBE = 'PIPEWRIGHT_PROBE';
let known = { env: undefined, isOwn: false };

// Whether it is the environment of this process, and no copy that a program, a worker thread or
// Jest has put in its place: only Node's object refuses accessors.
function isOwnEnvironment(env) {
  if (env !== known.env) known = { env, isOwn: isMainThread && !isProxy(env) && refusesAccessors(env) };
  return known.isOwn;
}

function refusesAccessors(env) {
  try {
    Object.defineProperty(env, PROBE, { configurable: true, get: () => undefined });
  } catch (error) {
    return error.code === 'ERR_INVALID_OBJECT_DEFINE_PROPERTY';
  }
  delete env[PROBE];
  return false;
}

/**
 * The same, or null if the child's environment is that of this process: execve(2) takes it as it
 * is. To make the list costs more than half of what a spawn costs C.
 *
 * @param {object | null | undefined} env
 * @param {string[]} args
 * @returns {string[] | null}
 */
function pairsUnlessInherited(env, args) {
  const isInherited = !env && isOwnEnvironment(process.env) && process.permission === undefined;
  return isInherited ? null : environmentPairs(env, args);
}

module.exports = { environmentPairs, pairsUnlessInherited };
