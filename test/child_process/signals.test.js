'use strict';

const { once } = require('node:events');
const path = require('node:path');
const { Worker } = require('node:worker_threads');

const { watchSignal } = require('../../lib/signals');
const { closing } = require('../helpers/closing');
const { runFixture, startFixture, outputOf } = require('../helpers/child');

const LIB = JSON.stringify(path.join(__dirname, '../../lib/signals.js'));

const watch = (signal, listener) => {
  const watcher = watchSignal(signal, listener);
  closing(() => watcher.stop());
  return watcher;
};

/** Calls `watchSignal` and waits for the first call. */
const arrival = (signal) => new Promise((resolve) => watch(signal, (...args) => resolve(args)));

test.each([
  ['SIGUSR2', ['SIGUSR2', 12]],
  ['sigusr2', ['SIGUSR2', 12]],
  [12, ['SIGUSR2', 12]],
])('watches %p', async (signal, expected) => {
  const arrives = arrival(signal);
  process.kill(process.pid, 'SIGUSR2');
  expect(await arrives).toEqual(expected);
});

test('each of several watchers is called', async () => {
  const arrive = [arrival('SIGUSR2'), arrival('SIGUSR2')];
  process.kill(process.pid, 'SIGUSR2');
  await Promise.all(arrive);
});

test('a stopped watcher is not called', async () => {
  const listener = jest.fn();
  watch('SIGUSR2', listener).stop();
  const arrives = arrival('SIGUSR2');
  process.kill(process.pid, 'SIGUSR2');
  await arrives;
  expect(listener).not.toHaveBeenCalled();
});

test('stopping twice, and ref() and unref() after it, do nothing', () => {
  const watcher = watch('SIGUSR2', () => {});
  expect(watcher.signal).toBe('SIGUSR2');
  watcher.stop();
  watcher.stop();
  watcher.ref().unref();
  watcher[Symbol.dispose]?.();
});

test('works in a worker thread', async () => {
  const code = `
    const { parentPort } = require('node:worker_threads');
    const watcher = require(${LIB}).watchSignal('SIGUSR2', (name) => { parentPort.postMessage(name); watcher.stop(); });
    parentPort.postMessage('ready');`;
  const worker = closing(new Worker(code, { eval: true }));
  expect(await once(worker, 'message')).toEqual(['ready']);
  const ended = [once(worker, 'message'), once(worker, 'exit')]; // May come in one tick.
  process.kill(process.pid, 'SIGUSR2');
  expect(await Promise.all(ended)).toEqual([['SIGUSR2'], [0]]);
});

test.each([
  ['SIGNOTHING', 'ERR_UNKNOWN_SIGNAL'],
  [0, 'ERR_UNKNOWN_SIGNAL'],
  ['SIGKILL', 'EINVAL'],
])('%p cannot be watched', (signal, code) => {
  expect(() => watchSignal(signal, () => {})).toThrow(expect.objectContaining({ code }));
});

test('a listener is needed', () => {
  expect(() => watchSignal('SIGUSR2')).toThrow(expect.objectContaining({ code: 'ERR_INVALID_ARG_TYPE' }));
});

test('a watcher keeps the program, an unreferenced one does not', async () => {
  const program = startFixture('child_process/watches_signal.js', ['ref']);
  await outputOf(program, 'watching');
  program.kill('SIGUSR2');
  expect(await program.result).toMatchObject({ code: 0, stdout: 'watching\ngot SIGUSR2\n' });
  expect(await runFixture('child_process/watches_signal.js', ['unref'])).toMatchObject({
    code: 0,
    stdout: 'watching\n',
  });
});
