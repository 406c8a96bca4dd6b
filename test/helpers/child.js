'use strict';

// Runs the programs in test/fixtures/ as processes of their own, with Node's own
// child_process: what a Jest test cannot see from inside (exits, uncaught
// exceptions, other users, small limits) is seen from outside.

const { execFileSync, spawn } = require('node:child_process');
const { once } = require('node:events');
const fs = require('node:fs');
const path = require('node:path');
const { closing } = require('./closing');
const { PROGRAM_HANGS_MS } = require('./hanging');
const { temporaryFolder } = require('./socket_path');

const ROOT = path.join(__dirname, '../..');
const DEFAULTS = Object.freeze({
  cwd: undefined,
  env: {},
  execArgv: [],
  program: process.execPath,
  gid: undefined,
  openFiles: undefined,
  timeout: PROGRAM_HANGS_MS,
  stdio: ['pipe', 'pipe', 'pipe'],
  uid: undefined,
});

/**
 * Starts test/fixtures/NAME. Options: `cwd`, `env` (added to this process's),
 * `program` (node), `execArgv` (its flags), `uid` and `gid`, `openFiles` (its
 * RLIMIT_NOFILE), `stdio`, `timeout` in ms, after which it is killed.
 *
 * @returns {import('node:child_process').ChildProcess & { result: Promise<object>, output: object }}
 *   `output` is what it has written so far; `result` is `{ code, signal, stdout, stderr, timedOut }` once it has ended
 */
function startFixture(name, args = [], options = {}) {
  const { cwd, env, execArgv, gid, openFiles, program, stdio, timeout, uid } = { ...DEFAULTS, ...options };
  const root = uid === undefined ? ROOT : readableRoot();
  const command = [program, ...execArgv, path.join(root, 'test/fixtures', name), ...args.map(String)];
  if (openFiles !== undefined) command.unshift('sh', '-c', `ulimit -n ${Number(openFiles)}; exec "$0" "$@"`);
  const child = closing(
    spawn(command[0], command.slice(1), { cwd: cwd ?? root, env: { ...process.env, ...env }, gid, stdio, uid }),
  );
  child.result = collect(child, timeout);
  child.result.catch(() => {}); // It is the caller's to await; a test may not.
  return child;
}

/** The same, awaited. `input` is written to its stdin, which is then ended. */
function runFixture(name, args = [], { input = '', ...options } = {}) {
  const child = startFixture(name, args, options);
  child.stdin?.on('error', () => {}); // It may end without reading.
  child.stdin?.end(input);
  return child.result;
}

/** @returns {Promise<string>} what the child has written to stdout, once it holds `text` */
async function outputOf(child, text) {
  const ended = child.result.then(() => true);
  while (!child.output.stdout.includes(text)) {
    const next = await Promise.race([once(child.stdout, 'data'), ended]);
    if (next === true) throw new Error(`The child ended before it wrote ${text}:\n${Object.values(child.output)}`);
  }
  return child.output.stdout;
}

function collect(child, timeout) {
  const output = (child.output = { stdout: '', stderr: '' });
  for (const name of ['stdout', 'stderr']) {
    child[name]?.setEncoding('utf8').on('data', (chunk) => (output[name] += chunk));
  }
  return new Promise((resolve, reject) => {
    let timedOut = false;
    const timer = setTimeout(() => {
      timedOut = true;
      child.kill('SIGKILL');
      // Its own children may hold them open.
      child.stdout?.destroy();
      child.stderr?.destroy();
    }, timeout);
    child.on('error', (err) => {
      clearTimeout(timer);
      reject(err);
    });
    child.on('close', (code, signal) => {
      clearTimeout(timer);
      resolve({ code, signal, ...output, timedOut });
    });
  });
}

/**
 * A folder with the package in which any user may read: the checkout itself, or,
 * when that lies below a closed folder, a copy of what fixtures load.
 */
function readableRoot() {
  if (isReadableByOthers(ROOT)) return ROOT;
  const copy = temporaryFolder(0o755);
  for (const name of ['package.json', 'lib', 'build', 'prebuilds', 'test/fixtures', 'node_modules/node-gyp-build']) {
    const from = path.join(ROOT, name);
    if (fs.existsSync(from)) fs.cpSync(from, path.join(copy, name), { recursive: true });
  }
  execFileSync('chmod', ['-R', 'a+rX', copy]);
  return copy;
}

function isReadableByOthers(folder) {
  for (let at = folder; ; at = path.dirname(at)) {
    if ((fs.statSync(at).mode & 0o005) !== 0o005) return false;
    if (at === path.dirname(at)) return true;
  }
}

module.exports = { outputOf, runFixture, startFixture };
