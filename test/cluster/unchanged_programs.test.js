'use strict';

// Programs that call listen() themselves, as workers (interceptListen): they share the addresses
// for which they ask, or get those of the cluster.

const { once } = require('node:events');
const fs = require('node:fs');
const http = require('node:http');
const https = require('node:https');
const net = require('node:net');
const path = require('node:path');
const { createCluster } = require('../../lib/cluster');
const { certificate, privateKey } = require('../helpers/certificate');
const { textOf } = require('../helpers/children');
const { closing } = require('../helpers/closing');
const { socketPath, temporaryFolder } = require('../helpers/socket_path');
const { until } = require('../helpers/until');

const LOCAL = '127.0.0.1';
const ANY_PORT = { port: 0, host: LOCAL };

/** Starts workers with servers of `kind` that call listen() with each of `targets`. */
function start(kind, targets, options = {}) {
  const exec = path.join(__dirname, '../fixtures/cluster/unchanged_server.js');
  const args = [kind, ...targets.map((target) => JSON.stringify(target))];
  const cluster = createCluster({ exec, args, workers: 2, interceptListen: true, ...options });
  closing(() => cluster.close());
  return cluster;
}

/** Resolves once all workers are ready. @returns {Promise<any[]>} them */
function allReady(cluster, count = 2) {
  const workers = [];
  return new Promise((resolve) => {
    cluster.on('ready', (worker) => workers.push(worker) === count && resolve(workers));
  });
}

async function ask(target, { get } = http) {
  const request = get({ agent: false, rejectUnauthorized: false, ...target });
  const [response] = await once(request, 'response');
  return JSON.parse(await textOf(response));
}

/** Asks until both workers have answered. @returns {Promise<any[]>} an answer of each */
async function askBoth(target, module) {
  const answers = new Map();
  while (answers.size < 2) {
    const answer = await ask(target, module);
    answers.set(answer.worker, answer);
  }
  return [...answers.values()];
}

describe.each(['http', 'fastify'])('a program of %s', (program) => {
  test.each(['process', 'thread'])('shares the port for which it asks, and sees its address: %s', async (kind) => {
    const cluster = start(program, [ANY_PORT], { kind });
    const [[address]] = await Promise.all([once(cluster, 'listening'), allReady(cluster)]);
    expect(cluster.addresses()).toEqual([address]);
    for (const answer of await askBoth(address)) {
      expect(answer).toMatchObject({ isWorker: true, isListening: true, address });
    }
  });

  test('gets the listeners of the cluster, if it has any', async () => {
    const cluster = start(program, [{ port: 1, host: LOCAL }]);
    const paths = [socketPath(), socketPath()];
    for (const each of paths) cluster.listen({ path: each, mode: 0o600 });
    await allReady(cluster);
    expect(cluster.addresses()).toEqual(paths);
    for (const each of paths) {
      for (const answer of await askBoth({ socketPath: each })) expect(answer.address).toBe(paths[0]);
    }
  });
});

test('a program of https works, and a session resumes with any worker', async () => {
  const folder = temporaryFolder();
  const [KEY, CERT] = ['key', 'cert'].map((name) => path.join(folder, name));
  fs.writeFileSync(KEY, privateKey);
  fs.writeFileSync(CERT, certificate);
  const cluster = start('https', [ANY_PORT], { env: { ...process.env, KEY, CERT } });
  await allReady(cluster);
  const [{ port }] = cluster.addresses();
  const agent = new https.Agent({ maxCachedSessions: 1, rejectUnauthorized: false });
  const resumed = new Map();
  for (let i = 0; i < 4; i++) {
    const request = https.get({ agent, port, host: LOCAL });
    const [response] = await once(request, 'response');
    const isResumed = /** @type {any} */ (response.socket).isSessionReused();
    resumed.set(JSON.parse(await textOf(response)).worker, isResumed);
  }
  expect([...resumed.values()]).toEqual([true, true]);
});

test('a program of node:net shares the path for which it asks', async () => {
  const target = { path: socketPath() };
  const cluster = start('net', [target]);
  await allReady(cluster);
  const answers = [];
  for (let i = 0; i < 2; i++) answers.push(JSON.parse(await textOf(closing(net.connect(target.path)))));
  expect(answers).toMatchObject([{ address: target.path }, { address: target.path }]);
  expect(answers[0].worker).not.toBe(answers[1].worker);
});

test('a path stays there although each worker removes it before it listens', async () => {
  const target = { path: socketPath(), unlink: true };
  await allReady(start('http', [target]));
  await askBoth({ socketPath: target.path });
});

test("with schedule 'shared', too, each worker serves there", async () => {
  const target = { path: socketPath(), unlink: true };
  const cluster = start('http', [target], { schedule: 'shared', restartDelay: 5000 });
  const ids = (await allReady(cluster)).map(({ id }) => id);
  const one = await ask({ socketPath: target.path });
  process.kill(one.pid, 'SIGKILL');
  await once(cluster, 'exit');
  const other = await ask({ socketPath: target.path });
  expect([one.worker, other.worker].sort()).toEqual(ids.sort());
});

test('two servers with port 0 have two ports, which the workers share', async () => {
  const cluster = start('http', [ANY_PORT, ANY_PORT]);
  await allReady(cluster);
  while (cluster.addresses().length < 2) await once(cluster, 'listening');
  for (const address of cluster.addresses()) {
    for (const answer of await askBoth(address)) expect(answer.address).toEqual(address);
  }
});

test('an address in use is an error of the server', async () => {
  const other = closing(net.createServer()).listen(ANY_PORT);
  await once(other, 'listening');
  const cluster = start('http', [ANY_PORT, { ...other.address(), host: LOCAL }], { workers: 1 });
  const [worker] = await allReady(cluster, 1);
  expect(await once(worker, 'message')).toEqual(['EADDRINUSE', []]);
});

test('an exclusive server listens in its worker alone', async () => {
  const cluster = start('http', [{ path: socketPath(), exclusive: true }], { workers: 1 });
  await allReady(cluster, 1);
  expect(cluster.addresses()).toEqual([]);
});

test('a server that was closed listens again', async () => {
  const cluster = start('http', [{ ...ANY_PORT, isForOne: true }], { workers: 1 });
  await allReady(cluster, 1);
  const [address] = cluster.addresses();
  expect((await ask({ ...address, path: '/again' })).address).toEqual(address);
  expect((await ask(address)).worker).toBe(1);
});

test('a port that no later worker wants is closed, but not at once', async () => {
  const path = socketPath();
  const cluster = start('http', [{ ...ANY_PORT, isForOne: true }, { path }], { workers: 1 });
  await allReady(cluster, 1);
  await until(() => cluster.addresses().length === 2);
  const addresses = cluster.addresses();
  jest.useFakeTimers({ doNotFake: ['Date', 'hrtime', 'nextTick', 'queueMicrotask', 'setImmediate', 'setInterval'] });
  try {
    const exited = once(cluster, 'exit');
    await cluster.reload();
    await exited;
    expect(cluster.addresses()).toEqual(addresses);
    jest.advanceTimersByTime(10_000);
    expect(cluster.addresses()).toEqual([path]);
  } finally {
    jest.useRealTimers();
  }
});

test('a program that is stopped answers what is open, and is told by SIGTERM if it wants to know', async () => {
  const cluster = start('http', [ANY_PORT], { workers: 1 });
  const [worker] = await allReady(cluster, 1);
  const answered = ask({ ...cluster.addresses()[0], path: '/wait' });
  expect(await once(worker, 'message')).toEqual(['waits', []]);
  const told = once(worker, 'message');
  const exited = once(cluster, 'exit');
  cluster.close();
  expect((await answered).isListening).toBe(false);
  expect(await told).toEqual(['told', []]);
  expect((await exited).slice(1, 3)).toEqual([0, null]);
});

test('process.send() and process.on(message) are for the program of the primary', async () => {
  const cluster = start('http', [ANY_PORT], { workers: 1 });
  const [worker] = await allReady(cluster, 1);
  worker.send({ question: 1 });
  expect((await once(cluster, 'message'))[1]).toEqual({ question: 1, isConnected: true });
});

// As those of pnpm: Node 20 and 22 do not follow them after the stat() of a socket.
test('a program finds modules that are symbolic links', async () => {
  const folder = temporaryFolder();
  fs.mkdirSync(path.join(folder, 'node_modules'));
  fs.symlinkSync(path.join(__dirname, '../../node_modules/fastify'), path.join(folder, 'node_modules/fastify'));
  const exec = path.join(folder, 'app.js');
  fs.writeFileSync(exec, `require('fastify')().listen(${JSON.stringify(ANY_PORT)});`);
  const cluster = createCluster({ exec, workers: 1, interceptListen: true });
  closing(() => cluster.close());
  await Promise.race([once(cluster, 'ready'), once(cluster, 'exit').then(() => expect('ended').toBe('ready'))]);
});
