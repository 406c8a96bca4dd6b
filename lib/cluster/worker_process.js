'use strict';

// A worker that is a process: how it is started and killed. Its end of the control channel is
// descriptor 3; the messages of its program go over the channel of parent().

const { isMainThread } = require('node:worker_threads');

const { inodeOf } = require('../base/inode.js');

const { spawn } = require('../child_process/spawn.js');
const { WORKER_VARIABLE, processMark } = require('./marks.js');
const { preloadOf } = require('./preloading.js');

const CONTROL = 3; // Behind stdin, stdout and stderr.

/**
 * @param {number} id of the worker
 * @param {any} options of the cluster, normalized
 * @param {import('../fd/descriptor.js').Descriptor} control the worker's end; borrowed
 * @param {object} events
 * @param {(error: Error) => void} events.onFailed the process could not be started
 * @param {(code: number | null, signal: string | null) => void} events.onEnded
 * @returns {any} { pid, messages, kill }; messages is undefined if the process could not be started
 * @throws what spawn() throws
 */
function startProcess(id, options, control, { onFailed, onEnded }) {
  const { exec, args, env, execArgv, serialization } = options;
  const preload = preloadOf(id, options);
  const child = spawn(process.execPath, [...execArgv, ...preload.execArgv, exec, ...args], {
    env: { ...env, ...preload.env, [WORKER_VARIABLE]: processMark(id, CONTROL, inodeOf(control.fd)) },
    parentDeathSignal: isMainThread ? 'SIGKILL' : null, // Until it is ready: then it may finish what it has.
    pipewrightChannel: { serialization },
    stdio: ['ignore', 'inherit', 'inherit', control.fd],
  });
  child.once('error', (error) => {
    if (child.pid === undefined) onFailed(error);
  });
  child.once('exit', onEnded);
  return { pid: child.pid, messages: child.pipewrightChannel, kill: () => child.kill('SIGKILL') };
}

module.exports = { startProcess };
