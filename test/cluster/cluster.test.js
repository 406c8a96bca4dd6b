'use strict';

// createCluster() with workers that are processes: who serves, and what happens when one ends.

const { once } = require('node:events');
const fs = require('node:fs');
const http = require('node:http');
const http2 = require('node:http2');
const https = require('node:https');
const net = require('node:net');
const path = require('node:path');
const { createCluster, worker } = require('../../lib/cluster');
const { gone } = require('../helpers/children');
const { outputOf, startFixture } = require('../helpers/child');
const { closing } = require('../helpers/closing');
const { certificate, privateKey } = require('../helpers/certificate');
const { socketPath, temporaryFolder } = require('../helpers/socket_path');
const { until } = require('../helpers/until');

const fixture = (name) => path.join(__dirname, '../fixtures/cluster', name);

function start(options) {
  const cluster = createCluster({ exec: fixture('serving_worker.js'), args: ['http'], workers: 2, ...options });
  closing(() => cluster.close());
  return cluster;
}

/** Resolves once `count` workers have become ready. @returns {Promise<any[]>} them */
function ready(cluster, count) {
  const workers = [];
  return new Promise((resolve) => {
    cluster.on('ready', (each) => workers.push(each) === count && resolve(workers));
  });
}

/** Listens, and waits for that and for all workers. */
async function listening(cluster, options, count = 2) {
  const [, [address]] = await Promise.all([ready(cluster, count), once(cluster.listen(options), 'listening')]);
  return address;
}

function get(options, { request } = http) {
  return new Promise((resolve, reject) => {
    const call = request({ agent: false, ...options }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (chunk) => (text += chunk));
      response.on('end', () => resolve(text));
    });
    call.on('error', reject).end();
  });
}

describe('a server of Node', () => {
  test('serves over a path and TCP, and counts its connections', async () => {
    const cluster = start();
    const socket = socketPath();
    await listening(cluster, { path: socket, mode: 0o600 });
    const [{ port }] = await once(cluster.listen({ port: 0, host: '127.0.0.1' }), 'listening');
    expect(fs.statSync(socket).mode & 0o777).toBe(0o600);
    const answers = [];
    for (const target of [{ socketPath: socket }, { port }]) {
      for (let i = 0; i < 4; i++) answers.push(await get(target));
    }
    const ids = cluster.stats().workers.map(({ id }) => id);
    expect(new Set(answers)).toEqual(new Set(ids.map((id) => `${id} 1`)));
    expect(cluster.stats()).toMatchObject({ accepted: 8, pending: 0, restarts: 0 });
    expect(cluster.stats().workers.map(({ assigned }) => assigned)).toEqual([4, 4]);
    await cluster.close();
    expect(fs.existsSync(socket)).toBe(false);
  });

  test('may speak TLS', async () => {
    const folder = temporaryFolder();
    const files = [path.join(folder, 'key'), path.join(folder, 'cert')];
    fs.writeFileSync(files[0], privateKey);
    fs.writeFileSync(files[1], certificate);
    const cluster = start({ args: ['https', ...files], workers: 1 });
    const { port } = await listening(cluster, { port: 0, host: '127.0.0.1' }, 1);
    expect(await get({ port, rejectUnauthorized: false }, https)).toBe('1 1');
  });

  test('may speak http2', async () => {
    const cluster = start({ args: ['http2'], workers: 1 });
    const socket = socketPath();
    await listening(cluster, { path: socket }, 1);
    const session = closing(http2.connect('http://localhost', { createConnection: () => net.connect(socket) }));
    const stream = session.request({ ':path': '/' });
    const [chunk] = await once(stream.setEncoding('utf8'), 'data');
    expect(chunk).toBe('1 1');
  });

  test('may speak first', async () => {
    const cluster = start({ args: ['net'], workers: 1 });
    const socket = socketPath();
    await listening(cluster, { path: socket, ack: 'accept' }, 1);
    const client = closing(net.connect(socket));
    const [chunk] = await once(client.setEncoding('utf8'), 'data');
    expect(chunk).toBe('1 ');
    await once(client.resume(), 'end');
  });
});

describe('a worker that ends', () => {
  test('is started again, and its clients are not left hanging', async () => {
    const cluster = start({ restartDelay: 1 });
    const socket = socketPath();
    await listening(cluster, { path: socket });
    const exit = once(cluster, 'exit');
    const again = ready(cluster, 1);
    await expect(get({ socketPath: socket, path: '/crash' })).rejects.toMatchObject({ code: 'ECONNRESET' });
    const [crashed, code] = await exit;
    expect(code).toBe(3);
    const [next] = await again;
    expect(next.id).toBe(3);
    expect(crashed.state).toBe('ended');
    expect(cluster.stats().restarts).toBe(1);
  });

  test('before it was ready is started again after a while that grows', async () => {
    const cluster = start({ exec: fixture('unready_worker.js'), args: ['end'], workers: 1, restartDelay: 20 });
    const times = [Date.now()];
    while (times.length < 4) {
      await once(cluster, 'exit');
      times.push(Date.now());
    }
    expect(times[3] - times[1]).toBeGreaterThanOrEqual(20 + 40);
  });

  test('more than maxRestarts times is given up, and without any the cluster closes', async () => {
    const cluster = start({
      exec: fixture('unready_worker.js'),
      args: ['end'],
      workers: 1,
      restartDelay: 1,
      maxRestarts: 2,
    });
    const errors = [];
    cluster.on('error', ({ code }) => errors.push(code));
    await new Promise((resolve) => cluster.once('close', () => resolve(undefined)));
    expect(errors).toEqual(['ERR_CLUSTER_TOO_MANY_RESTARTS']);
    expect(cluster.stats()).toMatchObject({ restarts: 2, workers: [] });
  });

  test('by SIGKILL after SIGSTOP leaves no client hanging', async () => {
    const cluster = start();
    const socket = socketPath();
    const [workers] = await Promise.all([ready(cluster, 2), listening(cluster, { path: socket })]);
    process.kill(workers[0].pid, 'SIGSTOP');
    const answers = Array.from({ length: 10 }, () => get({ socketPath: socket }));
    await until(() => cluster.stats().accepted >= 10);
    process.kill(workers[0].pid, 'SIGKILL');
    for (const answer of await Promise.all(answers)) expect(answer).toMatch(/^\d+ \d+$/);
  });

  test('is killed if it takes nothing any more, and its connections go to others', async () => {
    const cluster = start({ handoverTimeout: 300 });
    const socket = socketPath();
    await listening(cluster, { path: socket });
    const looping = get({ socketPath: socket, path: '/loop' }).catch(({ code }) => code);
    const answers = Array.from({ length: 10 }, () => get({ socketPath: socket }));
    for (const answer of await Promise.all(answers)) expect(answer).toMatch(/^\d+ \d+$/);
    expect(await looping).toBe('ECONNRESET');
  });
});

test.each([
  ['a path', () => ({ path: socketPath() })],
  ['TCP', () => ({ port: 0, host: '127.0.0.1' })],
])('close() serves those that wait in the backlog of %s', async (_, address) => {
  const cluster = start();
  const listens = await listening(cluster, address());
  const target = typeof listens === 'string' ? { socketPath: listens } : { port: listens.port, host: '127.0.0.1' };
  const answers = Array.from({ length: 200 }, () => get(target));
  await new Promise(process.nextTick); // They have connected, and the loop has not turned.
  await cluster.close();
  for (const answer of await Promise.all(answers)) expect(answer).toMatch(/^\d+ \d+$/);
});

test('a worker that is not ready in time is killed, with an error', async () => {
  const cluster = start({ exec: fixture('unready_worker.js'), workers: 1, readyTimeout: 50, restartDelay: 10_000 });
  const [error] = await once(cluster, 'error');
  expect(error.code).toBe('ERR_CLUSTER_WORKER_NOT_READY');
});

test('the workers of a primary that was killed end, and the next one takes the path over', async () => {
  const socket = socketPath();
  const primary = startFixture('cluster/primary.js', [socket]);
  const pids = (await outputOf(primary, 'ready')).trim().split(' ').slice(1).map(Number);
  expect(await get({ socketPath: socket })).toMatch(/ 1$/);
  primary.kill('SIGKILL');
  for (const pid of pids) await gone(pid);
  const cluster = start();
  await listening(cluster, { path: socket, replaceStale: true });
  expect(await get({ socketPath: socket })).toMatch(/ 1$/);
});

describe('wrong use', () => {
  test.each([
    [undefined, 'ERR_INVALID_ARG_TYPE'],
    [{}, 'ERR_INVALID_ARG_TYPE'],
    [{ exec: 'x', workers: 0 }, 'ERR_OUT_OF_RANGE'],
    [{ exec: 'x', workers: '2' }, 'ERR_INVALID_ARG_TYPE'],
    [{ exec: 'x', kind: 'fiber' }, 'ERR_INVALID_ARG_VALUE'],
    [{ exec: 'x', serialization: 'xml' }, 'ERR_INVALID_ARG_VALUE'],
    [{ exec: 'x', resourceLimits: {} }, 'ERR_INVALID_ARG_VALUE'],
    [{ exec: 'x', kind: 'thread', resourceLimits: { stackSize: 4 } }, 'ERR_INVALID_ARG_VALUE'],
    [{ exec: 'x', kind: 'thread', resourceLimits: { stackSizeMb: '4' } }, 'ERR_INVALID_ARG_TYPE'],
    [{ exec: 'x', schedule: 'random' }, 'ERR_INVALID_ARG_VALUE'],
    [{ exec: 'x', args: [1] }, 'ERR_INVALID_ARG_TYPE'],
    [{ exec: 'x', env: 1 }, 'ERR_INVALID_ARG_TYPE'],
    [{ exec: 'x', handoverTimeout: -1 }, 'ERR_OUT_OF_RANGE'],
  ])('createCluster(%j) throws %s', (options, code) => {
    expect(() => createCluster(options)).toThrow(expect.objectContaining({ code }));
  });

  test('a path that is in use is an error, and others still serve', async () => {
    const taken = socketPath();
    const server = closing(net.createServer());
    await once(server.listen(taken), 'listening');
    const cluster = start();
    cluster.listen({ path: taken });
    expect((await once(cluster, 'error'))[0]).toMatchObject({ code: 'EADDRINUSE', address: taken });
    const socket = socketPath();
    await once(cluster.listen({ path: socket }), 'listening');
    expect(cluster.addresses()).toEqual([socket]);
    expect(await get({ socketPath: socket })).toMatch(/ 1$/);
  });

  test('the callback of listen() is called for its own listener', async () => {
    const taken = socketPath();
    const server = closing(net.createServer());
    await once(server.listen(taken), 'listening');
    const cluster = start();
    const called = [];
    cluster.on('error', () => called.push('error'));
    cluster.listen({ path: taken }, () => called.push('taken'));
    const socket = socketPath();
    await new Promise((resolve) => cluster.listen({ path: socket }, resolve));
    expect(called).toEqual(['error']);
  });

  test('ack has two values; a closed cluster does not listen', async () => {
    const cluster = start();
    expect(() => cluster.listen({ path: 'x', ack: 'x' })).toThrow(
      expect.objectContaining({ code: 'ERR_INVALID_ARG_VALUE' }),
    );
    await cluster.close();
    await cluster.close();
    expect(() => cluster.listen({ path: 'x' })).toThrow(expect.objectContaining({ code: 'ERR_CLUSTER_CLOSED' }));
  });

  test('a process that is no worker cannot serve', () => {
    expect(worker.isWorker).toBe(false);
    expect(worker.id).toBe(undefined);
    for (const call of [() => worker.ready(), () => worker.serve(net.createServer())]) {
      expect(call).toThrow(expect.objectContaining({ code: 'ERR_CLUSTER_NO_WORKER' }));
    }
  });
});
