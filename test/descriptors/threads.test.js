'use strict';

// Descriptors that move between threads; accepting in one and serving in another.

const { once } = require('node:events');
const fs = require('node:fs');
const path = require('node:path');
const { Worker } = require('node:worker_threads');
const net = require('../../lib/net');
const { Descriptor, DescriptorPasser, socketpair, toDescriptor } = require('../../lib/descriptors');
const { closing } = require('../helpers/closing');
const { runFixture } = require('../helpers/child');
const { socketPath } = require('../helpers/socket_path');

function startThread() {
  return closing(new Worker(path.join(__dirname, '../fixtures/descriptors/serving_thread.js')));
}

async function give(thread, what, descriptor) {
  const taken = once(thread, 'message');
  thread.postMessage({ what, token: descriptor.transfer() });
  return (await taken)[0];
}

async function ask(target) {
  const client = closing(net.connect(target));
  client.write('hello');
  const [reply] = await once(client, 'data');
  client.end();
  await once(client, 'close');
  return String(reply);
}

const countOf = (file) => {
  const links = fs.readdirSync('/proc/self/fd').map((fd) => {
    try {
      return fs.readlinkSync(`/proc/self/fd/${fd}`);
    } catch {
      return undefined;
    }
  });
  return links.filter((link) => link === file).length;
};

test.each([
  ['unix', () => socketPath()],
  ['tcp', () => ({ port: 0, host: '127.0.0.1' })],
])('a %s listener is shared by four threads, which all accept', async (_, target) => {
  const server = closing(net.createServer({ pauseOnConnect: true }));
  await once(server.listen(target()), 'listening');
  const address = server.address();
  const threads = [1, 2, 3, 4].map(startThread);
  const listener = toDescriptor(server);
  for (const thread of threads) await give(thread, 'server', listener.duplicate());
  listener.close();
  const replies = await Promise.all(
    Array.from({ length: 40 }, () =>
      ask(typeof address === 'string' ? address : { port: address.port, host: '127.0.0.1' }),
    ),
  );
  expect(replies.every((reply) => /^\d+:hello$/.test(reply))).toBe(true);
});

test('each thread has a listener of its own on one port', async () => {
  const server = closing(net.createServer((socket) => socket.end()));
  const options = { port: 0, host: '127.0.0.1', reusePort: true };
  await once(server.listen(options), 'listening');
  const { port } = server.address();
  const thread = startThread();
  const second = net.createServer();
  await once(second.listen({ ...options, port }), 'listening');
  await give(thread, 'server', toDescriptor(second));
  server.close();
  await once(server, 'close');
  expect(await ask({ port, host: '127.0.0.1' })).toBe(`${thread.threadId}:hello`);
});

test('one thread accepts, another serves: the connection is posted', async () => {
  const thread = startThread();
  const server = closing(
    net.createServer({ pauseOnConnect: true }, (socket) => give(thread, 'connection', toDescriptor(socket))),
  );
  await once(server.listen(socketPath()), 'listening');
  const replies = await Promise.all(Array.from({ length: 20 }, () => ask(server.address())));
  expect(new Set(replies)).toEqual(new Set([`${thread.threadId}:hello`]));
});

test('one thread accepts, another serves: the connections go over a socketpair', async () => {
  const thread = startThread();
  const [ours, theirs] = socketpair();
  await give(thread, 'passer', theirs);
  const passer = closing(new DescriptorPasser(ours));
  const server = closing(net.createServer({ pauseOnConnect: true }, (socket) => passer.send(socket)));
  await once(server.listen(socketPath()), 'listening');
  const before = fs.readdirSync('/proc/self/fd').length;
  for (let round = 0; round < 10; round++) {
    const replies = await Promise.all(Array.from({ length: 20 }, () => ask(server.address())));
    expect(new Set(replies)).toEqual(new Set([`${thread.threadId}:hello`]));
  }
  expect(passer.stats()).toMatchObject({ sent: 200, failed: 0 });
  expect(fs.readdirSync('/proc/self/fd').length).toBeLessThan(before + 40);
});

test('a descriptor goes to a thread and comes back', async () => {
  const thread = startThread();
  const returned = once(thread, 'message');
  thread.postMessage({ what: 'return', token: new Descriptor(fs.openSync(__filename)).transfer() });
  const [{ token }] = await returned;
  const descriptor = closing(Descriptor.from(token));
  expect(descriptor.type).toBe('file');
  expect(() => Descriptor.from(token)).toThrow(expect.objectContaining({ code: 'ERR_DESCRIPTOR_UNKNOWN' }));
});

test.each(['hold', 'forget', 'stream'])(
  'what a thread has open or left unclaimed is closed when it ends (%s)',
  async (what) => {
    const thread = startThread();
    for (let i = 0; i < 10; i++) await give(thread, what, new Descriptor(fs.openSync('/dev/zero')));
    expect(countOf('/dev/zero')).toBe(10);
    await thread.terminate();
    while (countOf('/dev/zero') > 0) await new Promise(setImmediate);
  },
);

test.each(['descriptor', 'transfer', 'socket'])(
  'a number of fs.openSync() that was given to a %s is not closed again when the thread ends (issue 9)',
  async (way) => {
    const { code, stderr, stdout } = await runFixture('descriptors/adopt_counted.js', [way]);
    expect({ code, stderr, stdout }).toEqual({ code: 0, stderr: '', stdout: 'true\n' });
  },
);

test('a token of the main thread that nobody claims can still be claimed by it', () => {
  const token = new Descriptor(fs.openSync('/dev/null')).transfer();
  closing(Descriptor.from(structuredClone(token)));
});
