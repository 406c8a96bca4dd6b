'use strict';

const { errno, signals } = require('node:os').constants;
const { SignalWrap } = require('../../lib/base/binding');
const { closing } = require('../helpers/closing');
const { runFixture } = require('../helpers/child');

function watch(number = signals.SIGUSR2) {
  const watcher = new SignalWrap();
  const received = new Promise((resolve) => (watcher.onsignal = resolve));
  const error = watcher.start(number);
  closing(() => watcher.close());
  return { watcher, received, error };
}

test('tells the number of the signal', async () => {
  const { error, received } = watch();
  expect(error).toBe(0);
  process.kill(process.pid, 'SIGUSR2');
  expect(await received).toBe(signals.SIGUSR2);
});

test('several watch one signal', async () => {
  const watchers = [watch(), watch(), watch()];
  process.kill(process.pid, 'SIGUSR2');
  expect(await Promise.all(watchers.map(({ received }) => received))).toEqual(Array(3).fill(signals.SIGUSR2));
});

test('stops, and forgets what has arrived already', async () => {
  const [stopped, going] = [watch(), watch()];
  stopped.watcher.onsignal = () => expect('the stopped one').toBe('silent');
  process.kill(process.pid, 'SIGUSR2');
  expect(stopped.watcher.stop()).toBe(0);
  await going.received;
});

test('watches another signal when it is started again', async () => {
  const { watcher } = watch();
  const received = new Promise((resolve) => (watcher.onsignal = resolve));
  const guard = watch(); // Without one, SIGUSR2 would end this process.
  expect(watcher.start(signals.SIGWINCH)).toBe(0);
  process.kill(process.pid, 'SIGUSR2');
  await guard.received;
  process.kill(process.pid, 'SIGWINCH');
  expect(await received).toBe(signals.SIGWINCH);
});

test.each([signals.SIGKILL, signals.SIGSTOP, 65, -1, 0, NaN, 'SIGTERM', null])(
  'refuses signal %p with EINVAL',
  (number) => {
    expect(watch(number).error).toBe(-errno.EINVAL);
  },
);

test('tells EBADF after close(), and before start()', () => {
  const watcher = new SignalWrap();
  expect(watcher.stop()).toBe(-errno.EBADF);
  watcher.start(signals.SIGUSR2);
  expect(watcher.close()).toBe(0);
  expect([watcher.start(signals.SIGUSR2), watcher.stop()]).toEqual([-errno.EBADF, -errno.EBADF]);
});

test('keeps the loop alive unless it is unreferenced', () => {
  const { watcher } = watch();
  expect(watcher.hasRef()).toBe(true);
  expect(watcher.unref()).toBe(0);
  expect(watcher.hasRef()).toBe(false);
});

test('two watchers in one thread and one in each of two others are called once each', async () => {
  const { stdout, code } = await runFixture('child_process/signal_threads.js');
  expect(stdout.trim().split('\n').sort()).toEqual(['main', 'main', 'worker', 'worker']);
  expect(code).toBe(0);
});
