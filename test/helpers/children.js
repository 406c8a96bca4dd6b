'use strict';

// Small things that tests of children have in common.

const { once } = require('node:events');
const fs = require('node:fs');
const { until } = require('./until');

/** Both engines; a test of what a child sees runs with each. */
const ENGINES = ['vfork', 'uv'];

/** How many end at once in a test: the fork(2) of uv takes 20 ms in a process as large as Jest's. */
const CROWD = { vfork: 500, uv: 100 };

/** A timeout within which a shell has run its first commands, for calls during which no event comes. */
const SHELL_RUNS_MS = 2000;

/** @returns {Promise<string>} all that a stream had to say */
async function textOf(stream) {
  let text = '';
  for await (const chunk of stream.setEncoding('utf8')) text += chunk;
  return text;
}

/** @returns {Promise<{ code: number | null, signal: string | null, stdout: string, stderr: string }>} */
async function ended(child) {
  const closed = once(child, 'close');
  const [stdout, stderr] = await Promise.all([child.stdout, child.stderr].map((stream) => stream && textOf(stream)));
  const [code, signal] = await closed;
  return { code, signal, stdout, stderr };
}

/** Waits until the stream has said `text`, and gives all until then. */
async function said(stream, text) {
  let all = '';
  for await (const [chunk] of dataOf(stream)) {
    all += chunk;
    if (all.includes(text)) return all;
  }
  throw new Error(`It ended without ${text}: ${all}`);
}

async function* dataOf(stream) {
  const ends = once(stream, 'end').then(() => null);
  for (;;) {
    const chunk = await Promise.race([once(stream, 'data'), ends]);
    if (chunk === null) return;
    yield chunk;
  }
}

/** @returns {string | null} state of a process: 'S', 'Z', 'T'…; null where there is none */
function stateOf(pid) {
  try {
    return fs.readFileSync(`/proc/${pid}/stat`, 'latin1').replace(/^.*\) /s, '')[0];
  } catch {
    return null;
  }
}

/** Waits until the process has ended; it need not be a child of ours. */
async function gone(pid) {
  await until(() => [null, 'Z'].includes(stateOf(pid)));
}

/** @returns {number[]} those of our descriptors above 2 that are not close-on-exec, in order */
function inheritableDescriptors() {
  const fds = fs.readdirSync('/proc/self/fd').map(Number);
  return fds.filter((fd) => fd > 2 && isInheritable(fd)).sort((a, b) => a - b);
}

function isInheritable(fd) {
  try {
    const [, flags] = /flags:\s+(\d+)/.exec(fs.readFileSync(`/proc/self/fdinfo/${fd}`, 'latin1'));
    return (parseInt(flags, 8) & 0o2000000) === 0;
  } catch {
    return false; // That of the folder.
  }
}

module.exports = { CROWD, ENGINES, SHELL_RUNS_MS, ended, gone, inheritableDescriptors, said, stateOf, textOf };
