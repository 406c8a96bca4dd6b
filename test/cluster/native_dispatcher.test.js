'use strict';

// ConnectionDispatcher and ConnectionSender through the binding: who gets a connection, and what
// becomes of it when its worker dies.

const { once } = require('node:events');
const fs = require('node:fs');
const os = require('node:os');
const { ConnectionDispatcher, ConnectionSender, Listener, socketPair } = require('../../lib/base/binding');
const { closing } = require('../helpers/closing');
const { DEFAULTS, FakeWorker, client, listenOnPath, listenOnPort, newDispatcher } = require('../helpers/dispatching');
const { until } = require('../helpers/until');

const { EBADF, EINVAL, EBUSY } = os.constants.errno;
const STREAM = 1; // SOCK_STREAM

async function clients(target, count, text = '') {
  const all = [];
  for (let i = 0; i < count; i++) all.push(await client(target, text && `${text}${i}`));
  return all;
}

test('workers get connections in turn, with their ids in the order of accepting', async () => {
  const dispatcher = newDispatcher();
  const workers = [1, 2, 3].map(() => new FakeWorker(dispatcher));
  await clients(listenOnPath(dispatcher, 7), 9);
  for (const worker of workers) {
    await worker.has(3);
    expect(worker.got.map(({ listener }) => listener)).toEqual([7, 7, 7]);
  }
  expect(workers.map(({ got }) => got.map(({ id }) => id))).toEqual([
    [1, 4, 7],
    [2, 5, 8],
    [3, 6, 9],
  ]);
  expect(dispatcher.getCounters()).toEqual({
    accepted: 9,
    pending: 0,
    silent: 0,
    moved: 0,
    ended: 0,
    handedOn: 0,
    dropped: 0,
  });
});

test('what has gathered in the backlog travels in few messages', async () => {
  const dispatcher = newDispatcher();
  const path = listenOnPath(dispatcher);
  await clients(path, 40);
  const worker = new FakeWorker(dispatcher);
  await worker.has(40);
  expect(worker.messages).toBeLessThan(10);
});

test('with least connections, the worker with the fewest open ones gets the next', async () => {
  const dispatcher = newDispatcher({ schedule: 'least-connections' });
  const [first, second] = [new FakeWorker(dispatcher), new FakeWorker(dispatcher)];
  const path = listenOnPath(dispatcher);
  await clients(path, 4);
  await Promise.all([first.has(2), second.has(2)]);
  second.answer({ closed: second.got });
  await until(() => second.counters.active === 0);
  await clients(path, 2);
  await second.has(4);
  expect(first.got).toHaveLength(2);
});

test('a worker that takes nothing gets no more; without room the backlog holds the rest', async () => {
  const dispatcher = newDispatcher({ maxUnacknowledged: 2 });
  const rooms = [];
  dispatcher.onroom = (hasRoom) => rooms.push(hasRoom);
  const worker = new FakeWorker(dispatcher);
  const path = listenOnPath(dispatcher);
  await clients(path, 5);
  await worker.has(2);
  await until(() => rooms.length > 0);
  expect(rooms).toEqual([false]);
  expect(dispatcher.getCounters().accepted).toBe(2);
  worker.answer({ taken: worker.got });
  await worker.has(4);
  worker.answer({ taken: worker.got.slice(2) });
  await worker.has(5);
  await until(() => rooms.at(-1));
});

test('a paused worker gets none until it is resumed', async () => {
  const dispatcher = newDispatcher();
  const [first, second] = [new FakeWorker(dispatcher), new FakeWorker(dispatcher)];
  const path = listenOnPath(dispatcher);
  expect(first.sender.pause()).toBe(0);
  await clients(path, 3);
  await second.has(3);
  expect(first.got).toHaveLength(0);
  second.sender.pause();
  const last = clients(path, 1);
  await last;
  first.sender.resume();
  await first.has(1);
});

test('connections accepted before there is a worker wait for the first', async () => {
  const dispatcher = newDispatcher();
  const path = listenOnPath(dispatcher);
  await clients(path, 3);
  const worker = new FakeWorker(dispatcher);
  await worker.has(3);
});

describe.each([
  ['a path', listenOnPath],
  ['TCP', listenOnPort],
])('when a worker dies, over %s', (_, listen) => {
  test('connections that it has not read from go to another, in order', async () => {
    const dispatcher = newDispatcher();
    const dying = new FakeWorker(dispatcher);
    const target = listen(dispatcher);
    await clients(target, 5, 'request ');
    await dying.has(5);
    const other = new FakeWorker(dispatcher);
    dying.answer({ taken: dying.got.slice(0, 3) });
    await until(() => dying.counters.unacknowledged === 2);
    expect(dying.die()).toBe(5);
    await other.has(5);
    expect(other.got.map((connection) => other.read(connection))).toEqual([0, 1, 2, 3, 4].map((i) => `request ${i}`));
    expect(other.got.map(({ id }) => id)).toEqual([1, 2, 3, 4, 5]);
    expect(dispatcher.getCounters()).toMatchObject({ moved: 5, ended: 0 });
  });

  test('the client of one that it has read from sees the end at once', async () => {
    const dispatcher = newDispatcher();
    const dying = new FakeWorker(dispatcher);
    const target = listen(dispatcher);
    const [first, second] = await clients(target, 2, 'request ');
    await dying.has(2);
    expect(dying.read(dying.got[1])).toBe('request 1');
    const other = new FakeWorker(dispatcher);
    expect(dying.die()).toBe(1);
    await second.ended;
    await other.has(1);
    expect(other.read(other.got[0])).toBe('request 0');
    expect(first.destroyed).toBe(false);
    expect(dispatcher.getCounters()).toMatchObject({ moved: 1, ended: 1 });
  });

  test('one whose client has sent and gone is served by another', async () => {
    const dispatcher = newDispatcher();
    const dying = new FakeWorker(dispatcher);
    const target = listen(dispatcher);
    const socket = await client(target, 'a log line');
    await dying.has(1);
    socket.end();
    await new Promise((resolve) => socket.destroy().once('close', resolve));
    const other = new FakeWorker(dispatcher);
    expect(dying.die()).toBe(1);
    await other.has(1);
    expect(other.read(other.got[0])).toBe('a log line');
  });

  test('one whose client has gone without a byte is dropped', async () => {
    const dispatcher = newDispatcher();
    const dying = new FakeWorker(dispatcher);
    const socket = await client(listen(dispatcher));
    await dying.has(1);
    await new Promise((resolve) => socket.destroy().once('close', resolve));
    dying.answer({ taken: dying.got });
    await until(() => dying.counters.kept === 0);
    expect(dying.die()).toBe(0);
  });

  test('with nobody else, they wait for the next worker', async () => {
    const dispatcher = newDispatcher();
    const dying = new FakeWorker(dispatcher);
    await clients(listen(dispatcher), 3, 'request ');
    await dying.has(3);
    dying.die();
    expect(dispatcher.getCounters().pending).toBe(3);
    const next = new FakeWorker(dispatcher);
    await next.has(3);
    expect(next.read(next.got[2])).toBe('request 2');
  });
});

describe('the copy of a connection in the primary', () => {
  test('goes once the worker has read from it, or closed it', async () => {
    const dispatcher = newDispatcher();
    const worker = new FakeWorker(dispatcher);
    const all = await clients(listenOnPath(dispatcher), 3, 'request ');
    await worker.has(3);
    const [first, second, third] = worker.got;
    worker.answer({ read: [first], closed: [second] });
    await until(() => worker.counters.kept === 1);
    worker.read(third);
    worker.answer({ taken: [third] });
    await until(() => worker.counters.kept === 0);
    expect(worker.counters).toMatchObject({ assigned: 3, active: 2, unacknowledged: 0 });
    worker.closeAll();
    await Promise.all(all.map(({ ended }) => ended));
  });

  test('goes in time if nobody speaks on it', async () => {
    const dispatcher = newDispatcher({ keepTime: 20 });
    const worker = new FakeWorker(dispatcher);
    await client(listenOnPath(dispatcher));
    worker.answer({ taken: await worker.has(1) });
    await until(() => worker.counters.kept === 0);
    expect(worker.die()).toBe(0);
  });

  test('whose worker spoke first, and died, is not sent to another', async () => {
    const dispatcher = newDispatcher();
    const worker = new FakeWorker(dispatcher);
    const [socket] = await clients(listenOnPath(dispatcher), 3);
    const [first, second] = await worker.has(3);
    socket.pause(); // It reads ahead no more than 64 KiB.
    const written = fs.writeSync(first.fd, Buffer.alloc(150_000));
    // It dies before it can say so.
    worker.answer({ taken: [first], read: [second] });
    await until(() => worker.counters.kept === 2);
    expect(worker.die()).toBe(1);
    await socket.resume().ended;
    expect(socket.bytesRead).toBe(written);
  });

  test('answers about connections that it has not, or none at all, do no harm', async () => {
    const dispatcher = newDispatcher();
    const worker = new FakeWorker(dispatcher);
    await client(listenOnPath(dispatcher));
    const [{ id }] = await worker.has(1);
    worker.answer({ read: [{ id: id + 1 }], taken: [{ id: 0 }, { id: 2 ** 32 - 1 }] });
    worker.answer({ taken: [{ id }, { id }] });
    await until(() => worker.counters.unacknowledged === 0);
    expect(worker.counters.kept).toBe(1);
  });
});

test.each([
  ['a sender', (dispatcher, worker) => worker.sender.close()],
  ['a dispatcher', (dispatcher) => dispatcher.close()],
])('%s that is closed leaves the connections to the worker, which is alive', async (_, close) => {
  const dispatcher = newDispatcher();
  const worker = new FakeWorker(dispatcher);
  const socket = await client(listenOnPath(dispatcher), 'request');
  const [connection] = await worker.has(1);
  expect(worker.read(connection)).toBe('request');
  close(dispatcher, worker);
  const other = dispatcher.fd === -EBADF ? null : new FakeWorker(dispatcher);
  const answer = once(socket, 'data');
  fs.writeSync(connection.fd, 'answer');
  expect(String((await answer)[0])).toBe('answer');
  expect(other?.got ?? []).toEqual([]);
});

describe('wrong calls', () => {
  test('are refused', () => {
    const dispatcher = new ConnectionDispatcher();
    const sender = new ConnectionSender();
    const listener = new Listener();
    expect(dispatcher.addWorker(sender, 0)).toBe(-EBADF);
    const wrong = { schedule: 'random', stickyBy: 1, maxUnacknowledged: 0, keepTime: -1, peekBytes: 'x' };
    for (const [name, value] of Object.entries(wrong)) {
      expect(dispatcher.open({ ...DEFAULTS, [name]: value })).toBe(-EINVAL);
    }
    expect(dispatcher.open('x')).toBe(-EINVAL);
    const open = newDispatcher();
    expect(open.open(DEFAULTS)).toBe(-EBUSY);
    expect(open.choose('x', 1)).toBe(-EINVAL);
    expect(open.choose(Uint32Array.of(7, 8), Int32Array.of(-5))).toBe(0);
    expect(open.takeUndecided()).toEqual([]);
    for (const value of [undefined, null, 1, {}, sender, open]) {
      expect(open.addListener(value, 0)).toBe(-EINVAL);
    }
    for (const value of [undefined, null, 1, {}, listener, sender, open]) {
      expect(open.addWorker(value, 0)).toBe(-EINVAL);
    }
    expect(open.addListener(listener, 0)).toBe(-EBADF);
    expect(open.adopt('x', 0)).toBe(-EINVAL);
    expect(open.adopt(0, -1)).toBe(-EINVAL);
    for (const method of ['pause', 'resume', 'adopt']) expect(dispatcher[method](0, 0)).toBe(-EBADF);
    expect(open.removeWorker(sender)).toBe(0);
    expect(sender.open('x')).toBe(-EINVAL);
    expect(sender.pause()).toBe(-EBADF);
  });

  test('a worker belongs to one dispatcher, and so does a listener', () => {
    const [first, second] = [newDispatcher(), newDispatcher()];
    const worker = new FakeWorker(first);
    expect(second.addWorker(worker.sender, 0)).toBe(-EINVAL);
    expect(first.addWorker(worker.sender, 0)).toBe(-EINVAL);
    expect(second.removeWorker(worker.sender)).toBe(0);
  });
});

test('a dispatcher that is closed closes what waits, and its listeners accept for JavaScript again', async () => {
  const dispatcher = newDispatcher();
  const worker = new FakeWorker(dispatcher);
  const path = listenOnPath(dispatcher);
  const [first] = await clients(path, 1);
  await worker.has(1);
  worker.die();
  dispatcher.close();
  await first.ended;
});

describe('takeBack() gives a connection that one worker gives back to another', () => {
  test.each([
    ['a path', listenOnPath],
    ['TCP', listenOnPort],
  ])('over %s, and it counts as unused again', async (_, listen) => {
    const dispatcher = newDispatcher();
    const first = new FakeWorker(dispatcher);
    const target = listen(dispatcher, 5);
    const socket = await client(target, 'before');
    await first.has(1);
    const [{ fd, id }] = first.got.splice(0);
    expect(first.read({ fd })).toBe('before');
    fs.writeSync(fd, 'answer');
    await once(socket, 'data');
    first.sender.pause();
    const [second, third] = [new FakeWorker(dispatcher), new FakeWorker(dispatcher)];
    expect(dispatcher.takeBack(first.sender, id, fd, 9)).toBe(0);
    await new Promise((resolve) => socket.write('after', resolve));
    await second.has(1);
    expect(second.got[0].listener).toBe(9);
    expect(dispatcher.getCounters()).toMatchObject({ accepted: 1, handedOn: 1 });
    // Nothing was read from it since, so the death of its worker does not end it.
    expect(second.die()).toBe(1);
    await third.has(1);
    expect(third.read(third.got[0])).toBe('after');
    expect(first.die()).toBe(0); // It has no copy any more.
  });

  test('unless it is no connection, or the worker is none', () => {
    const dispatcher = newDispatcher();
    const { sender } = new FakeWorker(dispatcher);
    expect(dispatcher.takeBack({}, 1, 0, 1)).toBe(-EINVAL);
    expect(dispatcher.takeBack(sender, -1, 0, 1)).toBe(-EINVAL);
    expect(dispatcher.takeBack(sender, 1, -1, 1)).toBe(-EINVAL);
    dispatcher.close();
    expect(dispatcher.takeBack(sender, 1, 0, 1)).toBe(-EBADF);
  });
});

test('what a worker has answered counts, though it has died with messages unread', async () => {
  const dispatcher = newDispatcher();
  const worker = new FakeWorker(dispatcher);
  const path = listenOnPath(dispatcher);
  await clients(path, 1);
  const [first] = await worker.has(1);
  worker.stopReading();
  await clients(path, 1);
  while (dispatcher.getCounters().accepted < 2) await new Promise(setImmediate);
  worker.answer({ closed: [first] });
  expect(worker.die()).toBe(1); // The second alone.
});

describe('connections of another primary', () => {
  test('that are adopted go to a worker, and to another when it dies', async () => {
    const dispatcher = newDispatcher();
    const dying = new FakeWorker(dispatcher);
    const [ours, clients] = socketPair(STREAM);
    closing(clients);
    fs.writeSync(clients, 'request');
    expect(dispatcher.adopt(ours, 3)).toBe(0);
    expect(await dying.has(1)).toMatchObject([{ listener: 3 }]);
    expect(dying.die()).toBe(1);
    const other = new FakeWorker(dispatcher);
    await other.has(1);
    expect(other.read(other.got[0])).toBe('request');
  });

  test('are taken out while no worker has them, oldest first', async () => {
    const dispatcher = newDispatcher();
    const dying = new FakeWorker(dispatcher);
    await clients(listenOnPath(dispatcher, 5), 2, 'request ');
    await dying.has(2);
    dying.die();
    const [first, firstNumber, second, secondNumber] = dispatcher.takePending();
    for (const fd of [first, second]) closing(fd);
    expect([firstNumber, secondNumber]).toEqual([5, 5]);
    expect(dispatcher.takePending()).toEqual([]);
    const other = new FakeWorker(dispatcher);
    expect([first, second].map((fd) => other.read({ fd }))).toEqual(['request 0', 'request 1']);
  });

  test("wait while it is paused also with schedule 'shared': workers get the listener later", async () => {
    const dispatcher = newDispatcher({ schedule: 'shared' });
    expect(dispatcher.pause()).toBe(0);
    const [worker, gone] = [new FakeWorker(dispatcher), new FakeWorker(dispatcher)];
    const path = listenOnPath(dispatcher);
    await clients(path, 1);
    expect(worker.got).toEqual([]);
    gone.die();
    expect(dispatcher.resume()).toBe(0);
    await worker.has(1);
    expect(dispatcher.resume()).toBe(0);
    expect(worker.got).toHaveLength(1);
  });

  test('wait in the backlog while it is paused', async () => {
    const dispatcher = newDispatcher();
    const worker = new FakeWorker(dispatcher);
    const path = listenOnPath(dispatcher);
    expect(dispatcher.pause()).toBe(0);
    await clients(path, 3);
    expect(dispatcher.getCounters().accepted).toBe(0);
    expect(dispatcher.resume()).toBe(0);
    await worker.has(3);
  });
});

describe('a worker whose table of descriptors is full', () => {
  test('refuses connections, which go to another, in order', async () => {
    const dispatcher = newDispatcher();
    const full = new FakeWorker(dispatcher, 0);
    const path = listenOnPath(dispatcher);
    await clients(path, 3, 'request ');
    const [first, ...refused] = await full.has(3);
    refused.forEach(({ fd }) => fs.closeSync(fd));
    full.got.length = 1;
    const other = new FakeWorker(dispatcher, 1);
    full.answer({ taken: [first], refused, isFull: true });
    await other.has(2);
    expect(other.got.map((connection) => other.read(connection))).toEqual(['request 1', 'request 2']);
    await clients(path, 2);
    await other.has(4);
    expect(full.counters).toMatchObject({ refused: 2, active: 1, unacknowledged: 0 });
    full.answer({});
    await clients(path, 2);
    await full.has(2);
  });

  test('gets those that it has refused again once it has room, if there is no other', async () => {
    const dispatcher = newDispatcher();
    const full = new FakeWorker(dispatcher);
    await clients(listenOnPath(dispatcher), 2, 'request ');
    const refused = (await full.has(2)).splice(0);
    refused.forEach(({ fd }) => fs.closeSync(fd));
    full.answer({ refused, isFull: true });
    await until(() => dispatcher.getCounters().pending === 2);
    full.answer({});
    await full.has(2);
    expect(full.read(full.got[1])).toBe('request 1');
  });
});
