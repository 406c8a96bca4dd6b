'use strict';

// Runs one test file in a process of its own, and leaves nothing of it behind.

const { spawn } = require('node:child_process');
const { randomUUID } = require('node:crypto');
const fs = require('node:fs');
const path = require('node:path');
const { readMetadata } = require('./lists');

const TAIL_BYTES = 6000;

/**
 * @param {string} test relative to the tests' folder
 * @param {object} how { tests, node, preloads, timeout, scratch, port, hook }; the hook
 *   is null for stock Node, or as of findReplacements()
 * @returns {{ done: Promise<object>, stop: () => void }}
 */
function execute(test, how) {
  const file = path.join(how.tests, test);
  const places = makePlaces(how.scratch);
  const mark = `CONFORMANCE_ID=${randomUUID()}`;
  const metadata = readMetadata(file);
  const child = start(file, { ...how, places, mark, metadata });
  const stop = () => killAll(child.pid, mark);

  let timedOut = false;
  const timer = setTimeout(() => {
    timedOut = true;
    stop();
  }, how.timeout);
  const started = performance.now();
  const done = new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('exit', (code, signal) => {
      clearTimeout(timer);
      stop();
      const ms = Math.round(performance.now() - started);
      resolve({ ms, ...judge({ code, signal, timedOut, places, how }) });
      fs.rmSync(places.folder, { recursive: true, force: true, maxRetries: 3 });
    });
  });
  return { done, stop };
}

function makePlaces(scratch) {
  const folder = fs.mkdtempSync(path.join(scratch, 't'));
  const places = { folder };
  for (const name of ['tmp', 'dir', 'stdout', 'stderr', 'trace']) places[name] = path.join(folder, name);
  fs.mkdirSync(places.tmp);
  fs.mkdirSync(places.dir);
  return places;
}

function start(file, { node, tests, places, mark, metadata, ...how }) {
  const stdout = fs.openSync(places.stdout, 'w');
  const stderr = fs.openSync(places.stderr, 'w');
  try {
    // No core files: some tests abort on purpose. `exec` keeps the process id.
    return spawn('/bin/sh', ['-c', 'ulimit -c 0; exec "$@"', 'sh', node, ...metadata.flags, file], {
      cwd: path.dirname(tests),
      env: environment({ tests, places, mark, metadata, ...how }),
      detached: true, // In a session and a group of its own.
      stdio: ['ignore', stdout, stderr],
    });
  } finally {
    fs.closeSync(stdout);
    fs.closeSync(stderr);
  }
}

function environment({ tests, places, mark, metadata, preloads, port, hook }) {
  const [markName, markValue] = mark.split('=');
  const env = {
    ...callersEnvironment(),
    TMPDIR: places.tmp,
    TMP: places.tmp,
    TEMP: places.tmp,
    NODE_TEST_DIR: places.dir,
    NODE_COMMON_PORT: String(port),
    [markName]: markValue,
    ...metadata.env,
  };
  const files = [...preloads];
  if (hook) {
    files.push(hook.preload);
    const roots = [tests, places.folder];
    env.CONFORMANCE_HOOK = JSON.stringify({ ...hook, roots, helpers: path.join(tests, 'common'), trace: places.trace });
  }
  if (files.length > 0) env.NODE_OPTIONS = nodeOptions(files);
  return env;
}

/** What would change how a test runs is left out. */
function callersEnvironment() {
  const ours = /^(NODE_|npm_|TEST_|CONFORMANCE_|FORCE_COLOR$|NO_COLOR$|UV_THREADPOOL_SIZE$)/;
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !ours.test(name)));
}

/** NODE_OPTIONS that preload `files`. */
function nodeOptions(files) {
  return files.map((file) => `--require="${file.replace(/[\\"]/g, '\\$&')}"`).join(' ');
}

/**
 * Kills what is left of a test: its process group, and whoever is in its session or
 * carries its mark in the environment; each by its process id.
 */
function killAll(pid, mark) {
  kill(-pid);
  for (const entry of fs.readdirSync('/proc')) {
    if (/^\d+$/.test(entry) && Number(entry) !== process.pid && isPartOf(entry, pid, mark)) kill(Number(entry));
  }
}

function isPartOf(entry, session, mark) {
  try {
    const stat = fs.readFileSync(`/proc/${entry}/stat`, 'latin1');
    const [state, , , itsSession] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    if (state === 'Z') return false;
    return Number(itsSession) === session || fs.readFileSync(`/proc/${entry}/environ`, 'latin1').includes(mark);
  } catch {
    return false; // It has gone, or is not ours to look at.
  }
}

function kill(pid) {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It has gone.
  }
}

function judge({ code, signal, timedOut, places, how }) {
  const hide = (text) =>
    text
      .replaceAll(places.folder, '<scratch>')
      .replaceAll(how.tests, '<tests>')
      .replaceAll(how.hook?.packageRoot ?? '\0', '<package>');
  const stdout = hide(tailOf(places.stdout));
  const skipped = /^1\.\.0 # skipped:?\s*(.*)$/im.exec(stdout);
  const status = statusOf({ code, signal, timedOut, skipped });
  const result = { status, code, signal };
  if (how.hook) result.asked = askedFor(places.trace);
  if (status === 'skip') return { ...result, why: skipped[1] };
  return status === 'pass' ? result : { ...result, stdout, stderr: hide(tailOf(places.stderr)) };
}

function statusOf({ code, signal, timedOut, skipped }) {
  if (timedOut) return 'timeout';
  if (signal !== null || code >= 128) return 'crash';
  if (code !== 0) return 'fail';
  return skipped ? 'skip' : 'pass';
}

/** @returns {string[]} the replacements that the test has loaded; what only the suite's helpers loaded does not count */
function askedFor(trace) {
  if (!fs.existsSync(trace)) return [];
  const lines = fs
    .readFileSync(trace, 'utf8')
    .split('\n')
    .filter((line) => line && !line.endsWith(' helper'));
  return [...new Set(lines.map((line) => line.split(' ')[1]))].sort();
}

function tailOf(file) {
  return fs.readFileSync(file).subarray(-TAIL_BYTES).toString('utf8');
}

module.exports = { execute, nodeOptions };
