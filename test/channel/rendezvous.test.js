'use strict';

// Channel.listen() and Channel.connect().

const { once } = require('node:events');
const fs = require('node:fs');
const nodeNet = require('node:net');
const os = require('node:os');
const binding = require('../../lib/base/binding');
const { Channel } = require('../../lib/channel');
const { channelPair, closeOf, messagesOf } = require('../helpers/channels');
const { closing } = require('../helpers/closing');
const { socketPath } = require('../helpers/socket_path');

async function listening(target, listener) {
  const server = closing(Channel.listen(target, listener));
  await once(server, 'listening');
  return server;
}

const abstractName = () => `\0pipewright-channel-${process.pid}-${Math.random()}`;

test.each([
  ['a path', () => socketPath()],
  ['an abstract name', abstractName],
])('channels meet at %s', async (_, name) => {
  const path = name();
  const server = await listening(path);
  const [[theirs], ours] = await Promise.all([once(server, 'channel'), Channel.connect(path)]);
  [theirs, ours].forEach(closing);
  theirs.onRequest((message) => ({ got: message }));
  expect(await ours.request('hello')).toMatchObject({ message: { got: 'hello' } });
  expect(theirs.peerCredentials()).toMatchObject({ pid: process.pid, uid: process.getuid() });
  // The server's end waits for no channel.
  await new Promise((resolve) => server.close(resolve));
  expect(await ours.request('still')).toMatchObject({ message: { got: 'still' } });
});

test('options of the server and of the channels go where they belong', async () => {
  const path = socketPath();
  const seen = [];
  const server = await listening(
    { path, mode: 0o600, allowPeer: ({ pid }) => pid === process.pid, serialization: 'raw', highWaterMark: 5 },
    (channel) => seen.push(closing(channel)),
  );
  expect(fs.statSync(path).mode & 0o777).toBe(0o600);
  const channel = closing(await Channel.connect({ path, serialization: 'raw' }));
  channel.send(Buffer.from('bytes'));
  if (seen.length === 0) await once(server, 'channel');
  const [{ message }] = await messagesOf(seen[0], 1);
  expect(String(message)).toBe('bytes');
  expect(seen[0].send(Buffer.from('more than five'))).toBe(false);
});

test('a peer that is not let in gets no channel', async () => {
  const path = socketPath();
  const server = await listening({ path, allowPeer: () => false });
  const [[dropped], channel] = await Promise.all([once(server, 'drop'), Channel.connect(path)]);
  expect(dropped.peer.pid).toBe(process.pid);
  expect((await closeOf(closing(channel))).code).toBe('ERR_CHANNEL_ENDED');
});

test('a connection that nobody wants is closed', async () => {
  const path = socketPath();
  await listening(path);
  const channel = closing(await Channel.connect(path));
  expect((await closeOf(channel)).code).toBe('ERR_CHANNEL_ENDED');
});

test('connect() rejects where nothing listens, and where its signal is aborted', async () => {
  await expect(Channel.connect(socketPath())).rejects.toMatchObject({ code: 'ENOENT', syscall: 'connect' });
  const path = socketPath();
  await listening(path);
  await expect(Channel.connect({ path, signal: AbortSignal.abort() })).rejects.toMatchObject({ name: 'AbortError' });
});

test('connect() whose channel cannot be made leaves no socket', async () => {
  const path = socketPath();
  await listening(path);
  const duplicateFd = jest.spyOn(binding, 'duplicateFd').mockReturnValue(-os.constants.errno.EMFILE);
  const connected = Channel.connect(path);
  await expect(connected.finally(() => duplicateFd.mockRestore())).rejects.toMatchObject({ code: 'EMFILE' });
});

test('connect() refuses what is no AbortSignal', async () => {
  const target = { path: socketPath(), signal: { aborted: false } };
  await expect(Channel.connect(target)).rejects.toMatchObject({ code: 'ERR_INVALID_ARG_TYPE' });
});

test('listen() says on the server what was wrong', async () => {
  const path = socketPath();
  await listening(path);
  const [error] = await once(closing(Channel.listen(path)), 'error');
  expect(error).toMatchObject({ code: 'EADDRINUSE', address: path });
});

test('listen() refuses a descriptor on which no channel can come', async () => {
  const tcp = closing(nodeNet.createServer());
  await once(tcp.listen(0, '127.0.0.1'), 'listening');
  for (const fd of [tcp._handle.fd, 0]) {
    expect(() => Channel.listen({ fd })).toThrow(expect.objectContaining({ code: 'ERR_INVALID_FD_TYPE' }));
  }
  expect(() => Channel.listen({ fd: 'x' })).toThrow(expect.objectContaining({ code: 'ERR_INVALID_ARG_TYPE' }));
  const [error] = await once(closing(Channel.listen({ fd: 1_000_000 })), 'error');
  expect(error).toMatchObject({ code: 'EINVAL' });
});

test.each([
  [undefined, 'ERR_INVALID_ARG_TYPE'],
  [{}, 'ERR_INVALID_ARG_TYPE'],
  [{ path: 5 }, 'ERR_INVALID_ARG_TYPE'],
  [{ path: 'x', serialization: 'xml' }, 'ERR_INVALID_ARG_VALUE'],
  [{ path: 'x', maxMessageBytes: 0 }, 'ERR_OUT_OF_RANGE'],
  [{ path: 'x', maxMessageBytes: '5' }, 'ERR_INVALID_ARG_TYPE'],
  [{ path: 'x', maxDescriptors: 33 }, 'ERR_OUT_OF_RANGE'],
  [{ path: 'x', highWaterMark: 0.5 }, 'ERR_OUT_OF_RANGE'],
])('%p is refused', async (target, code) => {
  expect(() => Channel.listen(target)).toThrow(expect.objectContaining({ code }));
  await expect(Channel.connect(target)).rejects.toMatchObject({ code });
});

test('a server of many channels keeps them apart', async () => {
  const path = socketPath();
  await listening(path, (channel) => closing(channel).onRequest((message) => message));
  const clients = await Promise.all(Array.from({ length: 50 }, () => Channel.connect(path)));
  const replies = await Promise.all(clients.map((client, i) => closing(client).request(i)));
  expect(replies.map(({ message }) => message)).toEqual(clients.map((_, i) => i));
});

test('channels of one thread share nothing', async () => {
  const pairs = Array.from({ length: 20 }, () => channelPair({ serialization: 'raw' }));
  const expected = pairs.map((_, i) => Buffer.alloc(5_000, i));
  for (let round = 0; round < 10; round++) pairs.forEach(([left], i) => left.send(expected[i]));
  const received = await Promise.all(pairs.map(([, right]) => messagesOf(right, 10)));
  received.forEach((list, i) => list.forEach(({ message }) => expect(message.equals(expected[i])).toBe(true)));
});
