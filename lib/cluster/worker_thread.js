'use strict';

// A worker that is a thread of this process: how it is started and terminated. Its descriptors
// have numbers in the same table, so each has exactly one owner at any time: a token in the
// thread's environment names it, and who claims the token owns it. What the thread owned is
// closed when the thread ends, before its 'exit'.

const path = require('node:path');
const { Worker } = require('node:worker_threads');

const { claimDescriptor, closeFd } = require('../base/binding.js');
const { Channel } = require('../channel/index.js');
const { socketpair } = require('../descriptors/socketpair.js');
const { WORKER_VARIABLE, threadMark } = require('./marks.js');
const { preloadOf } = require('./preloading.js');

/**
 * @param {number} id of the worker
 * @param {any} options of the cluster, normalized
 * @param {import('../fd/descriptor.js').Descriptor} control the worker's end; taken
 * @param {object} events
 * @param {(code: number, signal: null) => void} events.onEnded
 * @returns {any} { pid, threadId, messages, kill }
 * @throws what `new Worker()` throws
 */
function startThread(id, options, control, { onEnded }) {
  const { exec, args, env, execArgv, interceptListen, resourceLimits, serialization } = options;
  const preload = preloadOf(id, options);
  const [ours, theirs] = socketpair();
  const tokens = [control, theirs].map((descriptor) => descriptor.transfer().pipewrightDescriptor);
  const messages = new Channel(ours, { serialization });
  let thread;
  try {
    thread = new Worker(path.resolve(exec), {
      argv: args,
      env: { ...definedOnly(env), ...preload.env, [WORKER_VARIABLE]: threadMark(id, ...tokens, serialization) },
      // Without arguments of its own a thread has this process's, which then are not the preload's.
      execArgv: interceptListen ? [...(execArgv ?? []), ...preload.execArgv] : execArgv,
      resourceLimits,
    });
  } catch (error) {
    closeUnclaimed(tokens);
    messages.destroy();
    throw error;
  }
  let isKilled = false;
  // A process prints its uncaught exception itself; that of a thread comes here. One that is
  // terminated while it starts may have some, which says nothing.
  thread.on('error', (error) => {
    if (!isKilled) console.error('Uncaught', error);
  });
  thread.once('exit', (code) => {
    closeUnclaimed(tokens);
    onEnded(code, null);
  });
  const kill = () => {
    isKilled = true;
    thread.terminate();
  };
  return { pid: process.pid, threadId: thread.threadId, messages, kill };
}

// The thread may end before it has loaded pipewright.
function closeUnclaimed(tokens) {
  for (const token of tokens) {
    const fd = claimDescriptor(token);
    if (fd >= 0) closeFd(fd);
  }
}

// A process does not get what is undefined; a thread would get it as a word.
function definedOnly(env) {
  return Object.fromEntries(Object.entries(env).filter(([, value]) => value !== undefined));
}

module.exports = { startThread };
