'use strict';

// ConnectionReceiver, the worker's end, and the page of counters, through the binding.

const { execFileSync } = require('node:child_process');
const { once } = require('node:events');
const fs = require('node:fs');
const net = require('node:net');
const os = require('node:os');
const { ConnectionReceiver, ConnectionSender, closeFd, socketPair, untrackFd } = require('../../lib/base/binding');
const { closing } = require('../helpers/closing');
const { FakeWorker, closingHandle, listenOnPath, newDispatcher } = require('../helpers/dispatching');
const { until } = require('../helpers/until');

const { EBADF, EBUSY, EINVAL } = os.constants.errno;
const SEQPACKET = 5;
const HEARTBEAT = 5; // Milliseconds.
const NONE = new Uint32Array(0);

/** A worker in this process, with the real receiver: [sender, receiver]. */
function pair() {
  const [ours, theirs] = socketPair(SEQPACKET);
  const sender = closingHandle(new ConnectionSender());
  expect(sender.open(ours)).toBe(0);
  const page = sender.createPage();
  const receiver = closingHandle(new ConnectionReceiver());
  expect(receiver.open(theirs, page, HEARTBEAT)).toBe(0);
  closeFd(page);
  return [sender, receiver];
}

async function clients(path, count) {
  for (let i = 0; i < count; i++) await once(closing(net.connect(path)), 'connect');
}

test('gets connections with their ids, and says what has become of them', async () => {
  const dispatcher = newDispatcher();
  const [sender, receiver] = pair();
  const got = [];
  receiver.onconnections = () => got.push(...receiver.takeConnections());
  dispatcher.addWorker(sender, 0);
  await clients(listenOnPath(dispatcher, 7), 3);
  await until(() => got.length === 9);
  expect(got.filter((_, i) => i % 3 !== 0)).toEqual([1, 7, 2, 7, 3, 7]);
  expect(sender.getCounters()).toMatchObject({ accepted: 3, closed: 0, active: 3, unacknowledged: 3 });
  for (const i of [0, 3, 6]) closeFd(got[i]);
  expect(receiver.answer(Uint32Array.of(1), Uint32Array.of(2))).toBe(0);
  await until(() => sender.getCounters().unacknowledged === 1);
  expect(sender.getCounters().kept).toBe(2);
  expect(receiver.connectionClosed(3)).toBe(0);
  expect(sender.getCounters()).toMatchObject({ closed: 1, active: 2 });
  receiver.answer(NONE, NONE);
  await until(() => sender.getCounters().unacknowledged === 0);
});

test('its heartbeat goes on while the loop turns, and its delay shows', async () => {
  const [sender] = pair();
  const { heartbeat } = sender.getCounters();
  expect(heartbeat).toBeGreaterThan(0);
  await until(() => sender.getCounters().heartbeat > heartbeat);
  const start = Date.now();
  while (Date.now() - start < 60);
  const before = sender.getCounters().heartbeat;
  await until(() => sender.getCounters().heartbeat > before);
  expect(sender.getCounters().loopDelay).toBeGreaterThan(0);
});

describe('a page', () => {
  test('cannot be made smaller or larger, and nothing in it harms the primary', async () => {
    const dispatcher = newDispatcher({ schedule: 'least-connections' });
    const [first, second] = [0, 1].map((slot) => new FakeWorker(dispatcher, slot));
    for (const size of [0, 100, 10_000]) {
      expect(() => fs.ftruncateSync(first.page, size)).toThrow(expect.objectContaining({ code: 'EPERM' }));
    }
    fs.writeSync(first.page, Buffer.alloc(4096, 0xff), 0, 4096, 0);
    expect(first.counters.active).toBe(0);
    const path = listenOnPath(dispatcher);
    await clients(path, 4);
    await until(() => first.got.length + second.got.length === 4);
    first.writePage({ accepted: 2n ** 64n - 1n, closed: 0n });
    const count = second.got.length;
    await clients(path, 2);
    await second.has(count + 2);
  });

  test('and one without a page', () => {
    const sender = closingHandle(new ConnectionSender());
    expect(sender.open(socketPair(SEQPACKET).map((fd, i) => (i === 1 ? closing(untracked(fd)) : fd))[0])).toBe(0);
    expect(sender.getCounters().accepted).toBe(undefined);
    const page = closing(untracked(sender.createPage()));
    expect(fs.fstatSync(page).size).toBe(4096);
    expect(sender.createPage()).toBe(-EBUSY);
    expect(execFileSync('readlink', [`/proc/${process.pid}/fd/${page}`], { encoding: 'utf8' })).toMatch(/^\/memfd:/);
  });
});

function untracked(fd) {
  untrackFd(fd);
  return fd;
}

test('wrong calls are refused', () => {
  const receiver = new ConnectionReceiver();
  const [first, second] = socketPair(SEQPACKET);
  const file = closing(fs.openSync('/dev/null'));
  for (const args of [[], ['x', file, 1], [first, 'x', 1], [first, file, 0], [first, file, 1]]) {
    expect(receiver.open(...args)).toBe(-EINVAL);
  }
  for (const call of ['countAccepted', 'connectionClosed', 'answer']) expect(receiver[call](1, 1)).toBe(-EBADF);
  const [, open] = pair();
  expect(open.open(first, file, 1)).toBe(-EBUSY);
  expect(open.connectionClosed(-1)).toBe(-EINVAL);
  expect(open.answer('x', NONE)).toBe(-EINVAL);
  expect(open.takeConnections()).toHaveLength(0);
  closeFd(first);
  closeFd(second);
});

test('one that is closed with connections that nobody has taken closes them', async () => {
  const dispatcher = newDispatcher();
  const [sender, receiver] = pair();
  dispatcher.addWorker(sender, 0);
  await clients(listenOnPath(dispatcher), 2);
  await until(() => sender.getCounters().accepted === 2);
  await new Promise((resolve) => receiver.close(resolve));
  expect(dispatcher.removeWorker(sender)).toBe(2);
});
