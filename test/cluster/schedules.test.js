'use strict';

// createCluster({ schedule }): which worker a client gets.

const { once } = require('node:events');
const http = require('node:http');
const net = require('node:net');
const path = require('node:path');
const { createCluster } = require('../../lib/cluster');
const { closing } = require('../helpers/closing');
const { socketPath } = require('../helpers/socket_path');
const { until } = require('../helpers/until');

const exec = path.join(__dirname, '../fixtures/cluster/serving_worker.js');

/** A cluster of http servers that listens, with its workers by their slot. */
async function serving(options) {
  const cluster = createCluster({ exec, args: ['http'], workers: 2, ...options });
  closing(() => cluster.close());
  const workers = [];
  const ready = new Promise((resolve) => {
    cluster.on('ready', (worker) => {
      workers[worker.slot] = worker;
      if (Object.keys(workers).length === 2) resolve();
    });
  });
  const socket = socketPath();
  await Promise.all([ready, once(cluster.listen({ path: socket }), 'listening')]);
  const [{ port }] = await once(cluster.listen({ port: 0, host: '127.0.0.1' }), 'listening');
  return { cluster, workers, socket, port };
}

/** @returns {Promise<number>} the id of the worker that has served */
function servedBy(options) {
  return new Promise((resolve, reject) => {
    const request = http.get({ agent: false, ...options }, (response) => {
      response.setEncoding('utf8').once('data', (text) => resolve(Number(text.split(' ')[0])));
    });
    request.on('error', reject);
  });
}

/** The same of a server that speaks first. */
async function greetedBy({ socketPath: name, ...target }) {
  const client = closing(net.connect(name ?? target));
  const [text] = await once(client.setEncoding('utf8'), 'data');
  return Number(text);
}

test('sticky: a client stays with its worker, and returns to that one’s successor', async () => {
  const { cluster, workers, socket, port } = await serving({ schedule: 'sticky', restartDelay: 1 });
  const owners = new Map();
  for (let i = 1; i <= 12; i++) {
    const localAddress = `127.0.0.${i}`;
    const first = await servedBy({ port, host: '127.0.0.1', localAddress });
    expect(await servedBy({ port, host: '127.0.0.1', localAddress })).toBe(first);
    owners.set(localAddress, workers.find(({ id }) => id === first).slot);
  }
  expect(new Set(owners.values()).size).toBe(2);
  expect(await servedBy({ socketPath: socket })).toBe(await servedBy({ socketPath: socket }));
  const again = once(cluster, 'ready');
  process.kill(workers[1].pid, 'SIGKILL');
  const [successor] = await again;
  for (const [localAddress, slot] of owners) {
    const id = await servedBy({ port, host: '127.0.0.1', localAddress });
    expect(id).toBe(slot === 1 ? successor.id : workers[0].id);
  }
});

describe('a function', () => {
  test('sees the first bytes and who the client is, and names a worker', async () => {
    const seen = [];
    const choose = (connection) => {
      seen.push(connection);
      const key = /cookie: worker=(\d)/i.exec(connection.bytes)?.[1];
      return connection.peer === undefined ? Number(key) : served.workers[key];
    };
    const served = await serving({ schedule: choose, peekBytes: 1000 });
    for (const number of [1, 0, 1]) {
      const headers = { cookie: `worker=${number}` };
      for (const target of [{ socketPath: served.socket }, { port: served.port }]) {
        expect(await servedBy({ ...target, headers })).toBe(served.workers[number].id);
      }
    }
    expect(seen[0]).toMatchObject({ address: undefined, peer: { pid: process.pid }, listener: served.socket });
    expect(seen[1]).toMatchObject({ address: '127.0.0.1', peer: undefined, listener: { port: served.port } });
    expect(String(seen[0].bytes)).toMatch(/^GET \/ HTTP/);
  });

  test('that throws or names no worker is an error, and any worker serves', async () => {
    const choices = [2, -1, 'x', null, undefined, {}, 0.5];
    const choose = () => {
      if (choices.length === 0) throw new Error('nothing left');
      return choices.shift();
    };
    const { cluster, socket } = await serving({ schedule: choose });
    const codes = [];
    cluster.on('error', ({ code, message }) => codes.push(code ?? message));
    const ids = [];
    for (let i = 0; i < 8; i++) ids.push(await servedBy({ socketPath: socket }));
    expect(codes).toEqual([...Array(7).fill('ERR_CLUSTER_BAD_CHOICE'), 'nothing left']);
    expect(new Set(ids).size).toBe(2);
  });

  test('may close the cluster: the connection is served', async () => {
    const served = await serving({ schedule: () => served.cluster.close() && 1 });
    expect(await servedBy({ socketPath: served.socket })).toBe(served.workers[1].id);
    await served.cluster.close();
  });
});

test.each([
  [{ schedule: 'random' }, 'ERR_INVALID_ARG_VALUE'],
  [{ schedule: 1 }, 'ERR_INVALID_ARG_VALUE'],
  [{ stickyBy: 'gid' }, 'ERR_INVALID_ARG_VALUE'],
  [{ peekBytes: -1 }, 'ERR_OUT_OF_RANGE'],
  [{ peekBytes: '1' }, 'ERR_INVALID_ARG_TYPE'],
])('createCluster(%j) throws %s', (options, code) => {
  expect(() => createCluster({ exec, ...options })).toThrow(expect.objectContaining({ code }));
});

describe('shared', () => {
  test.each(['http', 'net'])('each worker accepts by itself: %s', async (kind) => {
    const { cluster, workers, socket, port } = await serving({ schedule: 'shared', args: [kind] });
    const count = 40;
    const served = kind === 'http' ? servedBy : greetedBy;
    const ids = await Promise.all(
      Array.from({ length: count }, (_, i) => served(i % 2 ? { socketPath: socket } : { port, host: '127.0.0.1' })),
    );
    for (const id of ids) expect(workers.map((worker) => worker.id)).toContain(id);
    const { accepted, workers: each } = cluster.stats();
    expect(accepted).toBe(0);
    expect(each.reduce((sum, worker) => sum + worker.accepted, 0)).toBe(count);
    await until(() => cluster.stats().workers.every(({ active }) => active === 0));
  });

  test('a worker that is started later has the sockets, and a killed one does not take them along', async () => {
    const { cluster, workers, socket } = await serving({ schedule: 'shared', restartDelay: 1 });
    for (const { pid } of [...workers]) {
      const again = once(cluster, 'ready');
      process.kill(pid, 'SIGKILL');
      await again;
      expect(workers.map(({ id }) => id)).toContain(await servedBy({ socketPath: socket }));
    }
  });

  test('a listener that is closed is closed in the workers, too', async () => {
    const { cluster, socket, port } = await serving({ schedule: 'shared' });
    const closer = new AbortController();
    const [address] = await once(cluster.listen({ port: 0, host: '127.0.0.1', signal: closer.signal }), 'listening');
    await servedBy({ port: address.port, host: '127.0.0.1' });
    closer.abort();
    const refused = () =>
      servedBy({ port: address.port, host: '127.0.0.1' }).then(
        () => false,
        () => true,
      );
    while (!(await refused()));
    await servedBy({ socketPath: socket });
    await servedBy({ port, host: '127.0.0.1' });
  });

  test('reload() passes the sockets on, and close() ends the accepting', async () => {
    const { cluster, socket } = await serving({ schedule: 'shared' });
    const old = cluster.workers.map(({ id }) => id);
    await cluster.reload();
    while (old.includes(await servedBy({ socketPath: socket }))); // Until they have heard of it.
    await cluster.close();
    await expect(servedBy({ socketPath: socket })).rejects.toMatchObject({ code: 'ENOENT' });
  });
});
