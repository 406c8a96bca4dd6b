'use strict';

// What this process holds: descriptors, native handles, child processes. Compared
// before and after every test by setup.js.

const { spawn } = require('node:child_process');
const { once } = require('node:events');
const fs = require('node:fs');
const { activeHandles } = require('../../lib/base/binding');

const DEADLINE_MS = 2000;

/**
 * Makes Node open what it opens once for the life of the process (the pipe in
 * which signals arrive, the thread pool, the spare descriptor that libuv opens with a
 * loop's first stream), so that no test is blamed for it.
 */
async function warmUp() {
  const child = spawn('true', { stdio: ['ignore', 'pipe', 'ignore'] });
  await Promise.all([once(child.stdout.resume(), 'close'), once(child, 'exit')]);
  await fs.promises.stat('/');
}

function snapshot() {
  return { descriptors: openDescriptors(), handles: activeHandles(), children: childProcesses() };
}

// Node 20.4 and 20.6 open it at a time of their own, and keep it.
const RANDOM_DEVICE = '/dev/urandom';

/** @returns {Map<string, string>} number of each open descriptor -> what it is */
function openDescriptors() {
  const found = new Map();
  for (const fd of fs.readdirSync('/proc/self/fd')) {
    try {
      const target = fs.readlinkSync(`/proc/self/fd/${fd}`);
      if (target !== RANDOM_DEVICE) found.set(fd, target);
    } catch {
      // The descriptor readdir itself had open.
    }
  }
  return found;
}

/** @returns {Map<string, string>} process id -> "name (state)", zombies included */
function childProcesses() {
  const found = new Map();
  for (const task of fs.readdirSync('/proc/self/task')) {
    const children = readIfThere(`/proc/self/task/${task}/children`);
    for (const pid of children.split(' ').filter(Boolean)) {
      const [, name, state] = /\((.*)\) (\S)/s.exec(readIfThere(`/proc/${pid}/stat`)) ?? [];
      found.set(pid, `${name} (${state})`);
    }
  }
  return found;
}

// A thread or process may end between the listing and the look.
function readIfThere(file) {
  try {
    return fs.readFileSync(file, 'latin1');
  } catch {
    return '';
  }
}

/** @returns {string[]} one line for each thing in `after` that was not in `before` */
function difference(before, after) {
  const lines = [];
  for (const [fd, what] of after.descriptors) {
    if (before.descriptors.get(fd) !== what) lines.push(`descriptor ${fd}: ${what}`);
  }
  for (const [pid, what] of after.children) {
    if (!before.children.has(pid)) lines.push(`child process ${pid}: ${what}`);
  }
  const handles = after.handles - before.handles;
  if (handles > 0) lines.push(`${handles} native handle${handles === 1 ? '' : 's'} still open`);
  return lines;
}

/**
 * Closing takes turns of the loop, and an exit takes as long as the kernel needs:
 * looks again each turn until nothing is left or the deadline is over.
 *
 * @returns {Promise<string[]>} what was left
 */
async function waitUntilClean(before, deadlineMs = DEADLINE_MS) {
  const deadline = Date.now() + deadlineMs;
  let left = difference(before, snapshot());
  for (let turn = 0; left.length > 0 && Date.now() < deadline; turn++) {
    await new Promise((resolve) => (turn < 10 ? setImmediate(resolve) : setTimeout(resolve, 2)));
    left = difference(before, snapshot());
  }
  return left;
}

module.exports = { difference, snapshot, waitUntilClean, warmUp };
