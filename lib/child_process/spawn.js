'use strict';

// spawn(): starts a child.

const { ChildProcess, isWatched } = require('./child.js');
const { endAfter, endWhenAborted } = require('./deadline.js');
const { environmentPairs } = require('./env.js');
const { normalizeSpawn } = require('./options.js');

/**
 * Starts a program. See docs/child_process.md for the options.
 *
 * @param {string} file a path, or a name that is looked up in the PATH of the child's environment
 * @param {readonly string[] | object | null} [args]
 * @param {object} [options]
 * @returns {ChildProcess}
 * @throws ERR_INVALID_ARG_TYPE, ERR_INVALID_ARG_VALUE, ERR_OUT_OF_RANGE, ERR_UNKNOWN_SIGNAL,
 *   ERR_INCOMPATIBLE_OPTION_PAIR; the system's error, except ENOENT, EACCES, EAGAIN,
 *   EMFILE and ENFILE, which 'error' reports
 */
function spawn(file, args, options) {
  return start(normalizeSpawn(file, args, options));
}

/**
 * What wraps the method, or is told of the call, expects the list there, and so does a channel.
 *
 * @param {ChildProcess} child
 * @param {any} options
 */
function needsPairs(child, { stdio }) {
  return isWatched(child) || (Array.isArray(stdio) && stdio.includes('ipc'));
}

/** Starts a child with the options that normalizeSpawn() returned. */
function start({ signal, timeout, ...options }) {
  const { killSignal } = options;
  const child = new ChildProcess();
  if (options.envPairs === null && needsPairs(child, options)) options.envPairs = environmentPairs(null, options.args);
  // `options` is not frozen, because tools that wrap this method change it.
  child.spawn(options);
  endAfter(child, timeout, killSignal);
  endWhenAborted(child, signal, killSignal);
  return child;
}

module.exports = { spawn, start };
