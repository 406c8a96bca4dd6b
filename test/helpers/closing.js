'use strict';

// What a test made, and how each kind of it is closed. Everything is closed after
// the test (or, when made in a `beforeAll`, after the file), last made first, and
// waited for.

const fs = require('node:fs');
const { CLOSING_HANGS_MS } = require('./hanging');

const fileScope = [];
let scope = fileScope;

function enterTest() {
  scope = [];
}

/** Ends the scope of the test, or of the file when there is no test. */
function leaveTest() {
  const left = scope.splice(0);
  scope = fileScope;
  return left;
}

/**
 * Registers something to be closed: a server (with the connections it accepts), a
 * socket or other stream, a child, a worker, anything with `close()`, a file
 * descriptor, or a function that is called (and awaited).
 *
 * @template T
 * @param {T} thing
 * @returns {T} the same thing
 */
function closing(thing) {
  scope.push(thing);
  if (isServer(thing)) thing.on('connection', (socket) => scope.push(socket));
  return thing;
}

function isServer(thing) {
  return typeof thing.address === 'function' && typeof thing.listen === 'function';
}

/** @returns {Promise<Error[]>} what could not be closed */
async function closeAll(things) {
  const problems = [];
  // The end of one is an error for the other side, which is no news any more.
  for (const thing of things) thing.on?.('error', () => {});
  for (const thing of things.reverse()) {
    try {
      await withDeadline(close(thing), thing);
    } catch (err) {
      problems.push(err);
    }
  }
  return problems;
}

function close(thing) {
  if (typeof thing === 'number') return fs.closeSync(thing);
  if (typeof thing.destroy === 'function') return closeStream(thing);
  if (typeof thing.terminate === 'function') return thing.terminate();
  if (typeof thing.kill === 'function') return closeChild(thing);
  if (isServer(thing)) return closeServer(thing);
  if (typeof thing === 'function') return thing();
  if (typeof thing.close === 'function') return thing.close();
  throw new TypeError(`closing() does not know how to close ${thing}`);
}

async function closeStream(stream) {
  if (stream.closed) return;
  const closed = event(stream, 'close');
  stream.destroy();
  await closed;
}

// Its streams are destroyed rather than awaited: a grandchild may hold them.
async function closeChild(child) {
  for (const stream of child.stdio ?? []) stream?.destroy();
  if (child.connected) child.disconnect();
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  const exited = event(child, 'exit');
  child.kill('SIGKILL');
  await exited;
}

// The callback comes, with or without an error, whether it listens, is about to, or
// has been closed before.
function closeServer(server) {
  return new Promise((resolve) => {
    server.close(resolve);
    server.closeAllConnections?.();
  });
}

// Not events.once(), which rejects when an 'error' comes first.
function event(emitter, name) {
  return new Promise((resolve) => emitter.once(name, resolve));
}

async function withDeadline(promise, thing) {
  let timer;
  const late = new Promise((_, reject) => {
    const what = thing.constructor?.name ?? typeof thing;
    const text = `${what} was not closed after ${CLOSING_HANGS_MS} ms`;
    timer = setTimeout(() => reject(new Error(text)), CLOSING_HANGS_MS);
  });
  try {
    await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

module.exports = { closing, closeAll, enterTest, leaveTest };
