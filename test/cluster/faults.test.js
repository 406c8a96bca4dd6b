'use strict';

// Workers that misbehave, full tables, and many connections: the primary goes on, no client is
// left hanging, and no descriptor stays open.

const { execFile } = require('node:child_process');
const { once } = require('node:events');
const fs = require('node:fs');
const net = require('node:net');
const path = require('node:path');
const { promisify } = require('node:util');
const { createCluster } = require('../../lib/cluster');
const { outputOf, startFixture } = require('../helpers/child');
const { closing } = require('../helpers/closing');
const { socketPath, temporaryFolder } = require('../helpers/socket_path');
const { allowHours, isStress } = require('../helpers/stress');
const { until } = require('../helpers/until');

allowHours();

const COUNT = isStress ? 100_000 : 2000;

const fixture = (name) => path.join(__dirname, '../fixtures/cluster', name);

/** Listens over a path with two workers, and waits until both are ready. */
async function started(options) {
  const cluster = createCluster({ workers: 2, exec: fixture('hostile_worker.js'), ...options });
  closing(() => cluster.close());
  const ready = [];
  const all = new Promise((resolve) => {
    cluster.on('ready', (worker) => ready.push(worker) === cluster.stats().workers.length && resolve());
  });
  const socket = socketPath();
  await Promise.all([all, once(cluster.listen({ path: socket }), 'listening')]);
  return { cluster, socket, workers: ready };
}

/** One client: sends a byte, and resolves with all that it gets. */
async function ask(target) {
  const client = closing(net.connect(target));
  client.setEncoding('latin1').write('x');
  let answer = '';
  for await (const chunk of client) answer += chunk;
  return answer;
}

const askOften = (target, count) => Promise.all(Array.from({ length: count }, () => ask(target)));

const pidsOf = (output) => [...output.matchAll(/ready (\d+)/g)].map(([, pid]) => Number(pid));

describe('a worker with connections that it has not taken', () => {
  test.each([
    ['closes the socket for them', 'close', 0],
    ['answers on it what is no answer', 'garbage', 600],
    ['answers without end', 'flood', 600],
    ['closes its channel', 'hang up', 0],
  ])('is killed if it %s, and others serve them', async (_, how, handoverTimeout) => {
    const { cluster, socket, workers } = await started({ args: [how], handoverTimeout });
    const answers = askOften(socket, 20);
    await until(() => cluster.stats().accepted === 20);
    const exit = once(cluster, 'exit');
    process.kill(workers.find(({ id }) => id === 1).pid, 'SIGUSR2');
    expect((await exit).slice(1)).toEqual([null, 'SIGKILL', 10]);
    expect((await answers).every((id) => Number(id) >= 2)).toBe(true);
    expect(cluster.stats()).toMatchObject({ pending: 0, moved: 10, ended: 0 });
  });

  test('may babble over its channel, with descriptors', async () => {
    const { cluster, socket, workers } = await started({ args: ['babble'] });
    const answers = askOften(socket, 20);
    await until(() => cluster.stats().accepted === 20);
    const exit = once(cluster, 'exit');
    process.kill(workers.find(({ id }) => id === 1).pid, 'SIGUSR2');
    expect((await exit).slice(1)).toEqual([0, null, 10]);
    expect((await answers).every((id) => Number(id) >= 2)).toBe(true);
  });

  test('since its table is full takes them once there is room', async () => {
    const { cluster, socket, workers } = await started({ args: ['fill'] });
    const answers = askOften(socket, 20);
    await until(() => cluster.stats().accepted === 20);
    process.kill(workers.find(({ id }) => id === 1).pid, 'SIGUSR2');
    expect((await answers).sort()).toEqual([...Array(10).fill('1'), ...Array(10).fill('2')]);
  });

  test('since its table is full may be killed, and others serve them', async () => {
    const { cluster, socket, workers } = await started({ args: ['fill'] });
    const answers = askOften(socket, 20);
    await until(() => cluster.stats().accepted === 20);
    process.kill(workers.find(({ id }) => id === 1).pid, 'SIGKILL');
    expect((await answers).every((id) => Number(id) >= 2)).toBe(true);
  });
});

test('many connections leave no descriptor, and each worker has its share', async () => {
  const { cluster, socket, workers } = await started({ args: ['serve'], workers: 3 });
  const tables = () => workers.map(({ pid }) => fs.readdirSync(`/proc/${pid}/fd`).length);
  await askOften(socket, 30);
  await until(() => cluster.stats().workers.every(({ active }) => active === 0));
  const before = tables();
  for (let done = 0; done < COUNT; done += 60) await askOften(socket, 60);
  const { workers: all, pending } = cluster.stats();
  const shares = all.map(({ assigned }) => assigned);
  expect(Math.max(...shares) - Math.min(...shares)).toBeLessThanOrEqual(1);
  expect(pending).toBe(0);
  await until(() => cluster.stats().workers.every(({ active, kept }) => active + kept === 0));
  expect(tables()).toEqual(before);
});

test.each([
  ['process', 60],
  ['thread', 80],
])('with a table full of silent clients, a worker is started in place of the only %s', async (kind, openFiles) => {
  const socket = socketPath();
  const primary = startFixture('cluster/crowded_primary.js', [socket, 1, kind], { openFiles });
  const [pid] = pidsOf(await outputOf(primary, 'ready'));
  const clients = Array.from({ length: 100 }, () => closing(net.connect(socket)));
  await outputOf(primary, 'overload');
  process.kill(pid, kind === 'thread' ? 'SIGUSR2' : 'SIGKILL');
  const answers = clients.map(async (client) => (await once(client.setEncoding('latin1'), 'data'))[0]);
  while (pidsOf(primary.output.stdout).length < 2) await once(primary.stdout, 'data');
  for (const client of clients) client.write('x');
  expect(new Set(await Promise.all(answers))).toEqual(new Set(['2']));
});

// ETOOMANYREFS, which root never gets.
const testAsRoot = process.getuid() === 0 ? test : test.skip;

testAsRoot('connections wait while their user has too many descriptors in flight', async () => {
  const socket = path.join(temporaryFolder(0o777), 'socket');
  const options = { uid: 65_534, gid: 65_534, openFiles: 128 };
  const primary = startFixture('cluster/crowded_primary.js', [socket, 2, 'fly'], options);
  const [pid] = pidsOf(await outputOf(primary, 'flying'));
  let answered = 0;
  const answers = Array.from({ length: 20 }, () => ask(socket).finally(() => (answered += 1)));
  await outputOf(primary, 'accepted');
  expect(answered).toBe(0);
  process.kill(pid, 'SIGKILL');
  primary.kill('SIGUSR2');
  for (const id of await Promise.all(answers)) expect(Number(id)).toBeGreaterThan(0);
});

test('a primary that is a program given with -e does not start itself as its workers', async () => {
  const program = `
    const { createCluster } = require(${JSON.stringify(path.join(__dirname, '../../lib/cluster'))});
    const cluster = createCluster({ exec: ${JSON.stringify(fixture('hostile_worker.js'))}, args: ['serve'], workers: 1 });
    cluster.once('ready', () => cluster.close().then(() => console.log('was ready')));`;
  const { stdout } = await promisify(execFile)(process.execPath, ['-e', program]);
  expect(stdout).toBe('was ready\n');
});
