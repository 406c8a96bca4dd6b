'use strict';

// What a channel can be made of, and whose it is then.

const { once } = require('node:events');
const fs = require('node:fs');
const nodeNet = require('node:net');
const path = require('node:path');
const { Worker } = require('node:worker_threads');
const { Channel } = require('../../lib/channel');
const { Descriptor, socketpair } = require('../../lib/descriptors');
const net = require('../../lib/net');
const { closeOf } = require('../helpers/channels');
const { closing } = require('../helpers/closing');
const { socketPath } = require('../helpers/socket_path');

async function connectedPair(module) {
  const server = closing(module.createServer({ pauseOnConnect: true }));
  await once(server.listen(socketPath()), 'listening');
  const client = closing(module.connect(server.address()));
  const [[accepted]] = await Promise.all([once(server, 'connection'), once(client, 'connect')]);
  return [client, accepted];
}

async function expectConversation(left, right) {
  right.onRequest((message) => [message]);
  expect(await left.request('hello')).toMatchObject({ message: ['hello'] });
}

const KINDS = {
  Descriptors: () => socketpair(),
  numbers: () => socketpair().map((descriptor) => descriptor.take()),
  'sockets of pipewright': () => connectedPair(net),
  'sockets of pipewright for descriptors': () => socketpair().map((end) => end.toSocket({ descriptors: true })),
  'sockets of node:net': () => connectedPair(nodeNet),
};

test.each(Object.keys(KINDS))('%s', async (kind) => {
  const targets = await KINDS[kind]();
  const [left, right] = targets.map((target) => closing(new Channel(target)));
  for (const target of targets) {
    if (typeof target === 'number') expect(() => new Descriptor(target)).toThrow();
    else expect(target.destroyed ?? !target.isOpen).toBe(true);
  }
  await expectConversation(left, right);
});

test.each([
  ['pipewright', net],
  ['node:net', nodeNet],
])('a socket of %s with data that was read and not taken is refused, and stays', async (_, module) => {
  const [client, accepted] = await connectedPair(module);
  accepted.once('readable', () => {});
  client.write('unread');
  while (accepted.readableLength === 0) await new Promise(setImmediate);
  expect(() => new Channel(accepted)).toThrow(expect.objectContaining({ code: 'ERR_DESCRIPTOR_UNREAD_DATA' }));
  expect(String(accepted.read())).toBe('unread');
  client.destroy();
});

test.each([
  ['nothing', () => undefined, 'ERR_INVALID_ARG_TYPE'],
  ['null', () => null, 'ERR_INVALID_ARG_TYPE'],
  ['an object', () => ({}), 'ERR_INVALID_ARG_TYPE'],
  ['an object with a handle', () => ({ _handle: { fd: socketpair().map(closing)[0].fd } }), 'ERR_INVALID_ARG_TYPE'],
  ['an object with methods', () => ({ _handle: { fd: 0 }, connect() {}, write() {} }), 'ERR_INVALID_ARG_TYPE'],
  ['a negative number', () => -1, 'ERR_OUT_OF_RANGE'],
  ['a number that is not open', () => 1_000_000, 'EBADF'],
  ['a file', () => closing(Descriptor.from(fs.openSync(__filename))), 'ERR_INVALID_FD_TYPE'],
  ['a datagram socket', () => socketpair({ type: 'datagram' }).map(closing)[0], 'ERR_INVALID_FD_TYPE'],
  ['a seqpacket socket', () => socketpair({ type: 'seqpacket' }).map(closing)[0], 'ERR_INVALID_FD_TYPE'],
  [
    'a Descriptor that was closed',
    () => {
      const [a, b] = socketpair();
      a.close();
      b.close();
      return a;
    },
    'ERR_DESCRIPTOR_CLOSED',
  ],
  ['a socket that was destroyed', () => new net.Socket().destroy(), 'ERR_DESCRIPTOR_CLOSED'],
])('%s is refused', (_, make, code) => {
  const target = make();
  expect(() => new Channel(target)).toThrow(expect.objectContaining({ code }));
  if (target?.isOpen !== undefined && code === 'ERR_INVALID_FD_TYPE') expect(target.isOpen).toBe(true);
});

test('a TCP socket is refused, and stays', async () => {
  const server = closing(net.createServer((socket) => socket.end('hello')));
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const client = closing(net.connect(server.address().port, '127.0.0.1'));
  await once(client, 'connect');
  expect(() => new Channel(client)).toThrow(expect.objectContaining({ code: 'ERR_INVALID_FD_TYPE' }));
  const [chunk] = await once(client, 'data');
  expect(String(chunk)).toBe('hello');
});

test('a socket whose destroy() throws is refused, and nothing of it stays open', async () => {
  const [client, accepted] = await connectedPair(nodeNet);
  const destroy = jest.spyOn(accepted, 'destroy').mockImplementation(() => {
    throw new Error('not now');
  });
  expect(() => new Channel(accepted)).toThrow('not now');
  destroy.mockRestore();
  client.destroy();
});

test('options are checked before the socket is taken', () => {
  const [end] = socketpair().map(closing);
  expect(() => new Channel(end, { serialization: 5 })).toThrow(
    expect.objectContaining({ code: 'ERR_INVALID_ARG_VALUE' }),
  );
  expect(() => new Channel(end, 'json')).toThrow(expect.objectContaining({ code: 'ERR_INVALID_ARG_TYPE' }));
  expect(end.isOpen).toBe(true);
});

test('a socket that is not connected gives a channel that ends with an error', async () => {
  const socket = new net.Socket({ descriptors: true });
  expect(() => new Channel(socket)).toThrow(expect.objectContaining({ code: 'ERR_DESCRIPTOR_CLOSED' }));
  socket.destroy();
});

test('threads talk over a pair, each with a token of transfer()', async () => {
  const worker = closing(new Worker(path.join(__dirname, '../fixtures/channel/thread.js')));
  const [ours, theirs] = socketpair();
  worker.postMessage(theirs.transfer());
  const channel = closing(new Channel(ours, { serialization: 'advanced' }));
  const descriptors = [closing(Descriptor.from(fs.openSync(__filename)))];
  const reply = await channel.request(new Map([['a', 1]]), { descriptors });
  expect(reply.message).toEqual(new Map([['a', 2]]));
  expect(reply.descriptors.map(({ type }) => type)).toEqual(['file']);
  reply.descriptors[0].close();
  worker.terminate();
  expect((await closeOf(channel)).code).toBe('ERR_CHANNEL_ENDED');
});
