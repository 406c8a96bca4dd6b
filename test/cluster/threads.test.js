'use strict';

// createCluster() with workers that are threads of this process. setup.js looks after each test
// whether one of them has left a descriptor open.

const { once } = require('node:events');
const http = require('node:http');
const net = require('node:net');
const path = require('node:path');
const { text } = require('node:stream/consumers');
const { createCluster } = require('../../lib/cluster');
const { outputOf, startFixture } = require('../helpers/child');
const { closing } = require('../helpers/closing');
const { socketPath: temporarySocket } = require('../helpers/socket_path');

const fixture = (name) => path.join(__dirname, '../fixtures/cluster', name);

function start(options) {
  const cluster = createCluster({ exec: fixture('serving_worker.js'), kind: 'thread', workers: 2, ...options });
  closing(() => cluster.close());
  return cluster;
}

async function listening(cluster, options) {
  const [address] = await once(cluster.listen(options), 'listening');
  return address;
}

async function ready(cluster) {
  while (cluster.workers.some(({ state }) => state === 'starting')) await once(cluster, 'ready');
  return cluster.workers;
}

async function get(options) {
  const [response] = await once(http.get({ agent: false, ...options }), 'response');
  return text(response);
}

async function exchange(address, word) {
  const socket = closing(net.connect(address));
  socket.on('error', () => {});
  if (word !== undefined) socket.write(word);
  return text(socket);
}

/** What console.error() gets; it is silent meanwhile. */
function errorsOfThreads() {
  const print = jest.spyOn(console, 'error').mockImplementation(() => {});
  closing(() => print.mockRestore());
  return print.mock.calls;
}

describe('threads serve', () => {
  test('http over a path and TCP', async () => {
    const cluster = start({ args: ['http'] });
    const targets = [{ socketPath: await listening(cluster, { path: temporarySocket() }) }];
    targets.push({ port: (await listening(cluster, { port: 0, host: '127.0.0.1' })).port });
    const workers = await ready(cluster);
    const answers = [];
    for (const target of [...targets, ...targets]) answers.push(await get(target));
    expect(answers.sort()).toEqual(['1 1', '1 1', '2 1', '2 1']);
    expect(workers.map(({ pid }) => pid)).toEqual([process.pid, process.pid]);
    expect(cluster.stats().workers.map(({ threadId }) => threadId)).toEqual(workers.map(({ threadId }) => threadId));
    expect(new Set(workers.map(({ threadId }) => threadId)).size).toBe(2);
  });

  test('a protocol in which the server speaks first, over a path and TCP', async () => {
    const cluster = start({ args: ['net'], workers: 1 });
    const socket = await listening(cluster, { path: temporarySocket(), ack: 'accept' });
    const { port } = await listening(cluster, { port: 0, host: '127.0.0.1', ack: 'accept' });
    for (const target of [socket, port]) expect(await exchange(target)).toBe('1 ');
  });
});

describe('a thread that ends', () => {
  const troubled = (trouble, options) => start({ exec: fixture('troubled_thread.js'), args: [trouble], ...options });

  test.each([
    ['loop', 1],
    ['throw', 1],
    ['exit', 3],
  ])('because of %s, before its program has read: another answers', async (trouble, code) => {
    const errors = errorsOfThreads();
    const handoverTimeout = trouble === 'loop' ? 500 : 0;
    const cluster = troubled(trouble, { workers: 1, handoverTimeout, restartDelay: 1 });
    const socket = await listening(cluster, { path: temporarySocket() });
    const answer = exchange(socket, 'x');
    const [worker, status, signal, moved] = await once(cluster, 'exit');
    expect([worker.id, status, signal, moved]).toEqual([1, code, null, 1]);
    expect(await answer).toBe('2');
    expect(cluster.stats()).toMatchObject({ moved: 1, ended: 0, restarts: 1 });
    const printed = trouble === 'throw' ? [['Uncaught', expect.objectContaining({ message: 'of the program' })]] : [];
    expect(errors).toEqual(printed);
  });

  test('by kill(), after its program has read: the client sees the end at once', async () => {
    const cluster = troubled('wait', { workers: 1 });
    const socket = await listening(cluster, { path: temporarySocket() });
    const answer = exchange(socket, 'x');
    const [worker] = await ready(cluster);
    while (worker.stats().assigned === 0 || worker.stats().kept > 0) await new Promise(setImmediate);
    worker.kill();
    expect((await once(cluster, 'exit')).slice(1)).toEqual([1, null, 0]);
    expect(await answer).toBe('');
  });

  test('before it has loaded pipewright', async () => {
    const errors = errorsOfThreads();
    const cluster = start({ exec: fixture('no_such_worker.js'), workers: 1, restartDelay: 100_000 });
    expect((await once(cluster, 'exit')).slice(1)).toEqual([1, null, 0]);
    expect(errors).toEqual([['Uncaught', expect.objectContaining({ code: 'MODULE_NOT_FOUND' })]]);
  });

  test('that cannot be started is an error', async () => {
    const cluster = start({ workers: 1, execArgv: ['--no-such-flag'], restartDelay: 100_000 });
    expect((await once(cluster, 'error'))[0]).toMatchObject({ code: 'ERR_WORKER_INVALID_EXEC_ARGV' });
  });

  test('because its heap has grown beyond resourceLimits', async () => {
    const errors = errorsOfThreads();
    const resourceLimits = { maxOldGenerationSizeMb: 4, maxYoungGenerationSizeMb: 1 };
    const cluster = start({ exec: fixture('greedy_worker.js'), workers: 1, resourceLimits, restartDelay: 100_000 });
    await once(cluster, 'exit'); // Its code is 1 in Node 20 and 0 in later ones.
    expect(errors).toEqual([['Uncaught', expect.objectContaining({ code: 'ERR_WORKER_OUT_OF_MEMORY' })]]);
  });
});

test('reload() replaces threads, and no keep-alive client notices', async () => {
  const cluster = start({ args: ['http'] });
  const socketPath = await listening(cluster, { path: temporarySocket() });
  const old = (await ready(cluster)).map(({ id }) => id);
  const agent = new http.Agent({ keepAlive: true, maxSockets: 4 });
  closing(() => agent.destroy());
  const answers = [];
  let isOver = false;
  const client = async () => {
    while (!isOver) answers.push(await get({ socketPath, agent }));
  };
  const clients = [client(), client(), client(), client()];
  await cluster.reload();
  const count = answers.length;
  while (old.some((id) => cluster.workers.some((worker) => worker.id === id))) await once(cluster, 'exit');
  while (answers.length < count + 20) await new Promise(setImmediate);
  isOver = true;
  await Promise.all(clients);
  expect(answers.slice(-4).every((answer) => Number(answer.split(' ')[0]) > 2)).toBe(true);
  expect(cluster.stats()).toMatchObject({ ended: 0, restarts: 0 });
});

test('a full table, which threads and primary have in common, harms no client', async () => {
  const socket = temporarySocket();
  const primary = startFixture('cluster/primary.js', [socket, 'thread'], { openFiles: 96 });
  await outputOf(primary, 'ready');
  const answers = await Promise.all(Array.from({ length: 300 }, () => get({ socketPath: socket })));
  for (const answer of answers) expect(answer).toMatch(/^\d+ \d+$/);
  expect(primary.output.stderr).toBe('');
});
