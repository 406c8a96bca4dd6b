'use strict';

// The programs of primary and workers speak with each other: messages, requests and descriptors.

const { once } = require('node:events');
const fs = require('node:fs');
const path = require('node:path');
const { setEnvironmentData } = require('node:worker_threads');
const { createCluster, worker } = require('../../lib/cluster');
const { Descriptor } = require('../../lib/descriptors');
const { Channel } = require('../../lib/channel');
const { closing } = require('../helpers/closing');
const { temporaryFolder } = require('../helpers/socket_path');

function start(options) {
  const exec = path.join(__dirname, '../fixtures/cluster/messaging_worker.js');
  const cluster = createCluster({ exec, workers: 1, restartDelay: 100_000, ...options });
  closing(() => cluster.close());
  return cluster;
}

/** A descriptor of a new file with that text. */
function fileWith(text) {
  const file = path.join(temporaryFolder(), 'file');
  fs.writeFileSync(file, text);
  return new Descriptor(fs.openSync(file, 'r'));
}

/** Waits until `count` workers are ready. */
async function ready(cluster, count = 1) {
  while (cluster.workers.filter(({ state }) => state === 'ready').length < count) await once(cluster, 'ready');
  return cluster.workers;
}

describe.each(['process', 'thread'])('workers of the kind %s', (kind) => {
  test('get messages and send some, with descriptors', async () => {
    const cluster = start({ kind, args: ['echo'] });
    const [one] = await ready(cluster);
    one.send('hello', [fileWith('in a file')]);
    const [from, message, descriptors] = await once(cluster, 'message');
    expect(from).toBe(one);
    expect(message).toEqual({ id: 1, message: 'hello' });
    expect(fs.readFileSync(descriptors[0].fd, 'utf8')).toBe('in a file');
    descriptors[0].close();
  });

  test('answer requests, and ask', async () => {
    const cluster = start({ kind, args: ['ask'] });
    const file = fileWith('this one');
    cluster.onRequest((from, message) => Channel.reply(`${message} (${from.id})`, [file]));
    expect((await once(cluster, 'message')).slice(1)).toEqual([['which file? (1)', 'this one'], []]);
    const echo = start({ kind, args: ['echo'] });
    const [one] = await ready(echo);
    expect((await one.request({ a: 1 })).message).toEqual({ id: 1, message: { a: 1 } });
  });

  test("take no message of the program for one of the cluster's", async () => {
    const cluster = start({ kind, args: ['echo'] });
    const [one] = await ready(cluster);
    for (const type of ['stop', 'connections', 'ready', 'pause']) {
      one.send({ pipewrightCluster: type });
      const [, { message }] = await once(cluster, 'message');
      expect(message).toEqual({ pipewrightCluster: type });
    }
    expect(one.state).toBe('ready');
  });

  test('all get what is broadcast', async () => {
    const cluster = start({ kind, args: ['echo'], workers: 2, serialization: 'advanced' });
    await ready(cluster, 2);
    const heard = new Map();
    const all = new Promise((resolve) => {
      cluster.on('message', (from, { message }) => heard.set(from.id, message).size === 2 && resolve());
    });
    expect(cluster.broadcast(new Date(7))).toBe(2);
    await all;
    expect([...heard.values()]).toEqual([new Date(7), new Date(7)]);
    expect(() => cluster.broadcast(() => {})).toThrow(/could not be cloned/);
  });

  test('that have ended have said all they wanted to', async () => {
    const cluster = start({ kind, args: ['last'] });
    const heard = [];
    cluster.on('message', (_, message) => heard.push(message));
    const [gone, code] = await once(cluster, 'exit');
    expect(code).toBe(7);
    expect(heard).toEqual([...Array(100).keys(), 'last']);
    expect(gone.isOpen).toBe(false);
    expect(() => gone.send(1)).toThrow(expect.objectContaining({ code: 'ERR_CHANNEL_CLOSED' }));
    await expect(gone.request(1)).rejects.toMatchObject({ code: 'ERR_CHANNEL_CLOSED' });
  });

  test('end, though nobody has listened to what they said', async () => {
    const cluster = start({ kind, args: ['last'] });
    const [, code] = await once(cluster, 'exit');
    expect(code).toBe(7);
  });

  test('send messages that wait until somebody listens', async () => {
    const cluster = start({ kind, args: ['echo'] });
    const [one] = await ready(cluster);
    for (const word of ['a', 'b']) one.send(word);
    await one.request('c'); // Its reply comes behind the messages.
    expect((await once(one, 'message'))[0].message).toBe('a');
    expect((await once(cluster, 'message'))[1].message).toBe('b');
  });

  test('have arguments, variables and thread data of their own', async () => {
    setEnvironmentData('pipewright', 'ours');
    closing(() => setEnvironmentData('pipewright', undefined));
    const env = { ...process.env, WORD: 'word', NONE: undefined };
    const cluster = start({ kind, args: ['about', 'x'], env, execArgv: ['--no-deprecation'] });
    const [, about] = await once(cluster, 'message');
    expect(about).toEqual({
      argv: [expect.stringMatching(/messaging_worker\.js$/), 'about', 'x'],
      execArgv: ['--no-deprecation'],
      word: 'word',
      none: false,
      isMainThread: kind === 'process',
      workerData: null,
      data: kind === 'thread' ? 'ours' : null,
      variables: Object.keys(process.env)
        .filter((name) => name.startsWith('PIPEWRIGHT'))
        .sort(), // The cluster's own are gone.
    });
  });
});

test('a process has the same channel as parent()', async () => {
  const cluster = start({ args: ['parent'] });
  const [one] = await ready(cluster);
  one.send(1);
  expect((await once(cluster, 'message'))[1]).toEqual({ parent: 1 });
});

test('a worker whose channel lives on in another process ends all the same', async () => {
  const cluster = start({ args: ['heir'] });
  const [[, heir]] = await Promise.all([once(cluster, 'message'), ready(cluster)]);
  closing(() => process.kill(heir, 'SIGKILL'));
  cluster.on('message', () => {});
  cluster.broadcast('end');
  const [, code] = await once(cluster, 'exit');
  expect(code).toBe(7);
});

test('a process that is no worker has no channel', async () => {
  worker.on('message', () => {});
  worker.removeAllListeners('message');
  expect(worker.isOpen).toBe(false);
  expect(() => worker.send(1)).toThrow(expect.objectContaining({ code: 'ERR_CLUSTER_NO_WORKER' }));
  await expect(worker.request(1)).rejects.toMatchObject({ code: 'ERR_CLUSTER_NO_WORKER' });
  expect(() => worker.onRequest(() => 1)).toThrow(expect.objectContaining({ code: 'ERR_CLUSTER_NO_WORKER' }));
});
