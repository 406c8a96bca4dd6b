'use strict';

// fork(): a Node program as a child, with a channel.

const { invalidArgType, invalidArgValue, ipcRequired } = require('../base/errors.js');
const { validateArray, validateObject } = require('../base/validate.js');
const { inheritedExecArgv } = require('./exec_argv.js');
const { normalizeSpawn } = require('./options.js');
const { toPath, validateNoNul, validateNoNuls } = require('./paths.js');
const { start } = require('./spawn.js');

const STDIO = {
  __proto__: null,
  ignore: ['ignore', 'ignore', 'ignore', 'ipc'],
  inherit: [0, 1, 2, 'ipc'],
  overlapped: ['overlapped', 'overlapped', 'overlapped', 'ipc'],
  pipe: ['pipe', 'pipe', 'pipe', 'ipc'],
  fifo: ['fifo', 'fifo', 'fifo', 'ipc'],
};

/**
 * Starts a module in a Node process of its own, with a channel: see docs/child_process.md.
 *
 * @param {string | Uint8Array | URL} modulePath
 * @param {readonly string[] | object | null} [args]
 * @param {object} [options] of spawn(), but for `shell`; execPath, execArgv, silent
 * @returns {import('./child.js').ChildProcess}
 * @throws as spawn(), and ERR_CHILD_PROCESS_IPC_REQUIRED
 */
function fork(modulePath, args, options) {
  const path = toPath(modulePath, 'modulePath');
  const isOptions = args != null && typeof args === 'object' && !Array.isArray(args);
  if (args != null && !isOptions) validateArray(args, 'args');
  const given = isOptions ? args : options;
  if (given != null) validateObject(given, 'options');
  const own = { __proto__: null, ...given };
  if (typeof own.execPath === 'string') validateNoNul(own.execPath, 'options.execPath');
  validateNoNuls(own.execArgv ?? [], 'options.execArgv');
  const command = [...execArguments(own.execArgv), path, ...(isOptions ? [] : (args ?? []))];
  const stdio = toStdio(own);
  return start(normalizeSpawn(own.execPath || process.execPath, command, { ...own, shell: false, stdio }));
}

function execArguments(given) {
  if (given != null && given !== process.execArgv) {
    // A string has one of each character, as in Node.
    if (typeof given[Symbol.iterator] !== 'function') throw invalidArgType('options.execArgv', 'Array', given);
    return given;
  }
  return inheritedExecArgv();
}

function toStdio({ silent, stdio }) {
  if (typeof stdio === 'string') {
    if (STDIO[stdio] === undefined) throw invalidArgValue('stdio', stdio);
    return STDIO[stdio];
  }
  if (!Array.isArray(stdio)) {
    return silent ? STDIO.pipe : STDIO.inherit;
  }
  if (!stdio.includes('ipc')) throw ipcRequired('options.stdio');
  return stdio;
}

module.exports = { fork };
