'use strict';

// Schedules of a ConnectionDispatcher that choose by the client: 'sticky', and a function that
// looks at the first bytes.

const { SPEAKS_FIRST } = require('../../lib/cluster/marks');
const { FakeWorker, client, listenOnPath, listenOnPort, newDispatcher } = require('../helpers/dispatching');
const { until } = require('../helpers/until');

describe('sticky', () => {
  const ADDRESSES = Array.from({ length: 24 }, (_, i) => `127.0.0.${i + 1}`);

  /** @returns {Promise<Map<string, number>>} the slot of the worker that each client's connection goes to */
  async function slots(workers, port) {
    const before = new Map(workers.map((worker) => [worker, worker.got.length]));
    const all = workers.reduce((sum, { got }) => sum + got.length, ADDRESSES.length);
    for (const localAddress of ADDRESSES) await client({ port, host: '127.0.0.1', localAddress }, localAddress);
    await until(() => workers.reduce((sum, { got }) => sum + got.length, 0) === all);
    const found = workers.flatMap((worker) =>
      worker.got.slice(before.get(worker)).map((connection) => [worker.read(connection), worker.slot]),
    );
    return new Map(found);
  }

  test('a client has one worker; one that is missing takes only its own away, and gets them back', async () => {
    const dispatcher = newDispatcher({ schedule: 'sticky' });
    const port = listenOnPort(dispatcher);
    const workers = [0, 1, 2].map((slot) => new FakeWorker(dispatcher, slot));
    const first = await slots(workers, port);
    expect(new Set(first.values())).toEqual(new Set([0, 1, 2]));
    expect(await slots(workers, port)).toEqual(first);
    const moved = workers[1].got.length;
    expect(workers[1].die()).toBe(0); // All were read from.
    const without = await slots([workers[0], workers[2]], port);
    for (const address of ADDRESSES) {
      if (first.get(address) === 1) expect(without.get(address)).not.toBe(1);
      else expect(without.get(address)).toBe(first.get(address));
    }
    const next = new FakeWorker(dispatcher, 1);
    expect(await slots([workers[0], next, workers[2]], port)).toEqual(first);
    expect(next.got).toHaveLength(moved / 2);
  });

  test('over a path a client is a user, or a process', async () => {
    for (const stickyBy of ['uid', 'pid']) {
      const dispatcher = newDispatcher({ schedule: 'sticky', stickyBy });
      const workers = [0, 1, 2].map((slot) => new FakeWorker(dispatcher, slot));
      const path = listenOnPath(dispatcher);
      for (let i = 0; i < 6; i++) await client(path);
      await until(() => workers.some(({ got }) => got.length === 6));
    }
  });

  test('a client waits for its worker that has no room, while others are served', async () => {
    const dispatcher = newDispatcher({ schedule: 'sticky', maxUnacknowledged: 2 });
    const port = listenOnPort(dispatcher);
    const workers = [0, 1].map((slot) => new FakeWorker(dispatcher, slot));
    for (const localAddress of ADDRESSES) {
      const counts = workers.map(({ got }) => got.length);
      await client({ port, host: '127.0.0.1', localAddress });
      await until(() => workers.some(({ got }, i) => got.length > counts[i]));
      const owner = workers.find(({ got }, i) => got.length > counts[i]);
      owner.answer({ taken: owner.got });
      await until(() => owner.counters.unacknowledged === 0);
      owner.address = localAddress;
    }
    const [full, other] = workers;
    const last = full.got.length + 3;
    for (let i = 0; i < 3; i++) await client({ port, host: '127.0.0.1', localAddress: full.address });
    await until(() => dispatcher.getCounters().pending === 1);
    const count = other.got.length;
    await client({ port, host: '127.0.0.1', localAddress: other.address });
    await other.has(count + 1);
    expect(full.got).toHaveLength(last - 1);
    full.answer({ taken: full.got });
    await full.has(last);
  });

  test('when too many wait for one worker, the backlog holds the rest', async () => {
    const dispatcher = newDispatcher({ schedule: 'sticky', maxUnacknowledged: 2 });
    const path = listenOnPath(dispatcher);
    const workers = [0, 1].map((slot) => new FakeWorker(dispatcher, slot));
    for (let i = 0; i < 7; i++) await client(path);
    await until(() => dispatcher.getCounters().pending === 2);
    expect(dispatcher.getCounters().accepted).toBe(4);
    const own = workers.find(({ got }) => got.length > 0);
    for (let count = 2; count < 7; count = own.got.length) {
      own.answer({ taken: own.got });
      await own.has(Math.min(count + 2, 7));
    }
  });
});

describe('a function', () => {
  /** Asks `choose`, which gets { client, bytes } with the bytes as a string. */
  function chosen(options, choose) {
    const dispatcher = newDispatcher({ schedule: 'function', ...options });
    dispatcher.batches = 0;
    dispatcher.onchoice = () => {
      dispatcher.batches += 1;
      const connections = dispatcher.takeUndecided();
      const slots = connections.map(({ bytes, ...rest }) => choose({ ...rest, bytes: bytes.toString() }));
      const ids = connections.map(({ id }) => id);
      expect(dispatcher.choose(Uint32Array.from(ids), Int32Array.from(slots))).toBe(0);
    };
    return dispatcher;
  }

  test.each([
    ['a path', listenOnPath],
    ['TCP', listenOnPort],
  ])('chooses by the first bytes, which stay unread, over %s', async (_, listen) => {
    const dispatcher = chosen({ peekBytes: 3 }, ({ bytes }) => Number(bytes[2]));
    const workers = [0, 1, 2].map((slot) => new FakeWorker(dispatcher, slot));
    const target = listen(dispatcher);
    for (const text of ['to2 first', 'to0', 'to2 second']) await client(target, text);
    await Promise.all([workers[0].has(1), workers[2].has(2)]);
    expect(workers[1].got).toEqual([]);
    expect(workers[2].got.map((connection) => workers[2].read(connection))).toEqual(['to2 first', 'to2 second']);
    // What the primary looked at is not taken for use by the worker.
    const other = new FakeWorker(dispatcher, 0);
    expect(workers[0].die()).toBe(1);
    await other.has(1);
    expect(other.read(other.got[0])).toBe('to0');
    expect(workers[2].die()).toBe(0);
  });

  test('knows the client', async () => {
    const seen = [];
    const dispatcher = chosen({}, (connection) => seen.push(connection) && 0);
    const worker = new FakeWorker(dispatcher);
    await client(listenOnPath(dispatcher, 3));
    await client({ port: listenOnPort(dispatcher, 4), host: '127.0.0.1', localAddress: '127.0.0.9' });
    await worker.has(2);
    expect(seen).toEqual([
      { id: 1, listener: 3, bytes: '', client: expect.objectContaining({ pid: process.pid, uid: process.getuid() }) },
      { id: 2, listener: 4, bytes: '', client: expect.objectContaining({ address: '127.0.0.9', family: 'IPv4' }) },
    ]);
  });

  test('is asked once for all that a turn has brought', async () => {
    const dispatcher = chosen({}, () => 0);
    const path = listenOnPath(dispatcher);
    const all = await Promise.all(Array.from({ length: 40 }, () => client(path)));
    const worker = new FakeWorker(dispatcher);
    await worker.has(all.length);
    expect(dispatcher.batches).toBeLessThan(10);
  });

  test('a silent client is waited for, and one that has gone is dropped', async () => {
    const seen = [];
    const dispatcher = chosen({ peekBytes: 10, firstBytesTimeout: 0 }, ({ bytes }) => seen.push(bytes) && 0);
    const worker = new FakeWorker(dispatcher);
    const path = listenOnPath(dispatcher);
    const [leaving] = [await client(path), await client(path)];
    await until(() => dispatcher.getCounters().silent === 2);
    leaving.destroy();
    await until(() => dispatcher.getCounters().dropped === 1);
    await client(path, 'hello');
    await worker.has(1);
    expect(seen).toEqual(['hello']);
    expect(dispatcher.getCounters()).toMatchObject({ silent: 1, accepted: 3, pending: 0 });
  });

  test('a silent client waits no longer than it may', async () => {
    const seen = [];
    const dispatcher = chosen({ peekBytes: 10, firstBytesTimeout: 50 }, ({ bytes }) => seen.push(bytes) && 0);
    const worker = new FakeWorker(dispatcher);
    await client(listenOnPath(dispatcher));
    await worker.has(1);
    expect(seen).toEqual(['']);
    expect(dispatcher.getCounters()).toMatchObject({ silent: 0, accepted: 1, pending: 0 });
  });

  test('where the server speaks first, nobody waits', async () => {
    const dispatcher = chosen({ peekBytes: 10, firstBytesTimeout: 0 }, () => 0);
    const worker = new FakeWorker(dispatcher);
    await client(listenOnPath(dispatcher, SPEAKS_FIRST));
    await worker.has(1);
  });

  test('of too many silent ones the oldest waits no longer', async () => {
    const dispatcher = chosen({ peekBytes: 1, firstBytesTimeout: 0, maxUnacknowledged: 3 }, () => 0);
    const worker = new FakeWorker(dispatcher);
    const path = listenOnPath(dispatcher);
    for (let i = 0; i < 5; i++) await client(path);
    await worker.has(2);
    expect(worker.got.map(({ id }) => id)).toEqual([1, 2]);
    expect(dispatcher.getCounters().silent).toBe(3);
  });

  test('a worker that is not there is replaced by any, one without room is waited for', async () => {
    const dispatcher = chosen({ maxUnacknowledged: 2 }, ({ id }) => (id === 1 ? 5 : 1));
    const [first, second] = [0, 1].map((slot) => new FakeWorker(dispatcher, slot));
    const path = listenOnPath(dispatcher);
    for (let i = 0; i < 4; i++) await client(path);
    await second.has(2);
    await until(() => dispatcher.getCounters().pending === 1);
    expect(first.got.map(({ id }) => id)).toEqual([1]);
    second.answer({ taken: second.got });
    await second.has(3);
  });

  test('is asked again for those of a worker that has died', async () => {
    const asked = [];
    const dispatcher = chosen({ peekBytes: 4 }, ({ id, bytes }) => asked.push(`${id} ${bytes}`) && asked.length - 1);
    const [dying, other] = [0, 1].map((slot) => new FakeWorker(dispatcher, slot));
    const socket = await client(listenOnPath(dispatcher), 'text');
    await dying.has(1);
    expect(dying.die()).toBe(1);
    await other.has(1);
    expect(asked).toEqual(['1 text', '1 text']);
    expect(other.read(other.got[0])).toBe('text');
    expect(socket.destroyed).toBe(false);
  });

  test('a dispatcher that is closed closes all that wait', async () => {
    const dispatcher = newDispatcher({ schedule: 'function', peekBytes: 4, firstBytesTimeout: 0 });
    new FakeWorker(dispatcher);
    const path = listenOnPath(dispatcher);
    const all = [await client(path), await client(path, 'text'), await client(path, 'more')];
    await new Promise((resolve) => {
      dispatcher.onchoice = () => resolve(expect(dispatcher.takeUndecided().length).toBeGreaterThan(0));
    });
    dispatcher.close();
    await Promise.all(all.map(({ ended }) => ended));
  });
});
