'use strict';

// How a channel ends: close(), destroy(), the peer's end; 'close' comes once, and last.

const { once } = require('node:events');
const { Channel } = require('../../lib/channel');
const { Descriptor, socketpair } = require('../../lib/descriptors');
const { runFixture } = require('../helpers/child');
const { channelAndSocket, channelPair, closeOf, frame, messagesOf, parseFrames } = require('../helpers/channels');
const { closing } = require('../helpers/closing');

test('close() sends what is queued, and both sides end in order', async () => {
  const [left, right] = channelPair({ serialization: 'raw' });
  const reasons = [];
  for (const channel of [left, right]) channel.on('close', (reason) => reasons.push(reason));
  let bytes = 0;
  right.on('message', (message) => (bytes += message.length));
  for (let i = 0; i < 20; i++) left.send(Buffer.alloc(100_000));
  const closed = left.close();
  expect(left.isOpen).toBe(false);
  await Promise.all([closed, left.close(), closeOf(right)]);
  await left.close();
  expect([bytes, reasons]).toEqual([2_000_000, [null, null]]);
  expect([left.closed, right.closed, left.fd, right.fd]).toEqual([true, true, -1, -1]);
});

test('destroy() drops what is queued, and gives its reason', async () => {
  const [left, right] = channelPair({ serialization: 'raw' });
  left.send(Buffer.alloc(5_000_000));
  const reason = new Error('why');
  left.destroy(reason).destroy(new Error('again'));
  right.on('message', () => {});
  const [ours, theirs] = await Promise.all([closeOf(left), closeOf(right)]);
  expect(ours).toBe(reason);
  expect(theirs).toMatchObject({ code: 'ERR_CHANNEL_TRUNCATED' });
});

test("messages that came before the end are taken before 'close'", async () => {
  const [left, right] = channelPair();
  for (let i = 0; i < 3; i++) left.send(i);
  await left.close();
  while (right.fd >= 0) await new Promise(setImmediate);
  expect(right.closed).toBe(false);
  const order = [];
  right.on('close', () => order.push('close'));
  right.on('message', (message) => order.push(message));
  await closeOf(right);
  expect(order).toEqual([0, 1, 2, 'close']);
});

test('close() of a channel whose peer has ended drops what was not taken', async () => {
  const [left, right] = channelPair();
  left.send(1, [0]);
  await left.close();
  while (right.fd >= 0) await new Promise(setImmediate);
  await right.close();
  expect(right.stats().held).toBe(0);
});

test.each(['close', 'destroy'])('%s() in a message handler ends the delivery', async (method) => {
  const [left, right] = channelPair();
  const messages = [];
  right.on('message', (message, [descriptor]) => {
    messages.push(message);
    descriptor.close();
    right[method]();
  });
  for (let i = 0; i < 3; i++) left.send(i, [0]);
  await Promise.all([closeOf(right), closeOf(left)]);
  expect(messages).toEqual([0]);
});

test('an iteration ends with the channel, or throws why that ended', async () => {
  const [left, right] = channelPair();
  left.send('last');
  left.close();
  const messages = [];
  for await (const { message } of right) messages.push(message);
  expect(messages).toEqual(['last']);
  const [channel, socket] = channelAndSocket();
  socket.end(frame('message', '"last"'));
  const iteration = channel[Symbol.asyncIterator]();
  expect(await iteration.next()).toMatchObject({ value: { message: 'last' } });
  await expect(iteration.next()).rejects.toMatchObject({ code: 'ERR_CHANNEL_ENDED' });
  expect(await iteration.next()).toEqual({ done: true, value: undefined });
});

test('a peer that went while we sent is no error if it closed the channel', async () => {
  const [left, right] = channelPair();
  left.send('goodbye');
  left.close();
  right.send('too late'); // EPIPE: the other end is closed by now.
  const [reason, received] = await Promise.all([closeOf(right), messagesOf(right, 1)]);
  expect([reason, received]).toMatchObject([null, [{ message: 'goodbye' }]]);
});

test('both sides may close at once', async () => {
  for (let i = 0; i < 10; i++) {
    const [left, right] = channelPair();
    const reasons = Promise.all([closeOf(left), closeOf(right)]);
    left.send('never taken', [0]);
    left.close();
    right.send('too late');
    right.close();
    expect(await reasons).toEqual([null, null]);
  }
});

test.each([1_000_000, 5_000_000])('both sides may close at once with %d bytes queued', async (size) => {
  for (let i = 0; i < 5; i++) {
    const pair = channelPair({ serialization: 'raw' });
    const reasons = Promise.all(pair.map(closeOf));
    for (const channel of pair) for (let bytes = 0; bytes < size; bytes += 250_000) channel.send(Buffer.alloc(250_000));
    for (const channel of pair) channel.send(Buffer.alloc(10), [0]);
    for (const channel of pair) channel.close();
    expect(await reasons).toEqual([null, null]);
  }
});

test('close() drops what comes meanwhile, with its descriptors, and sends the rest', async () => {
  const [channel, socket] = channelAndSocket({ serialization: 'raw' });
  socket.pause();
  channel.send(Buffer.alloc(3_000_000));
  const closed = channel.close();
  const [end, other] = socketpair();
  const watcher = closing(other.toSocket());
  socket.sendDescriptors([end], frame('message', 'x', { encoding: 'raw', descriptors: 1 }));
  await once(watcher.resume(), 'end');
  let bytes = 0;
  socket.on('data', (chunk) => (bytes += chunk.length)).resume();
  await Promise.all([closed, once(socket, 'end')]);
  expect(bytes).toBe(3_000_000 + 2 * 8);
});

test('close() sends what is queued to a peer that has ended its own side', async () => {
  const [channel, socket] = channelAndSocket({ serialization: 'raw' });
  socket.pause();
  channel.send(Buffer.alloc(3_000_000));
  const closed = closeOf(channel);
  channel.close();
  socket.end();
  await once(socket, 'finish');
  for (let i = 0; i < 10; i++) await new Promise(setImmediate); // The channel reads the end.
  let bytes = 0;
  socket.on('data', (chunk) => (bytes += chunk.length)).resume();
  expect(await closed).toBe(null);
  while (bytes < 3_000_000 + 2 * 8) await new Promise(setImmediate);
});

test.each(['end', 'destroy'])('close() ends with an error if the peer goes before it has all: %s()', async (method) => {
  const [channel, socket] = channelAndSocket({ serialization: 'raw' });
  socket.pause();
  channel.send(Buffer.alloc(3_000_000));
  const closed = closeOf(channel);
  channel.close();
  socket[method]();
  if (method === 'end') await once(socket, 'finish');
  for (let i = 0; i < 10; i++) await new Promise(setImmediate);
  socket.destroy();
  expect(await closed).toMatchObject({ code: 'ERR_CHANNEL_ENDED' });
});

test('the peer sees an end in order: all frames, and a last one that says so', async () => {
  const [channel, socket] = channelAndSocket();
  channel.send(1);
  channel.close();
  let bytes = Buffer.alloc(0);
  socket.on('data', (chunk) => (bytes = Buffer.concat([bytes, chunk])));
  await once(socket, 'end');
  const { frames, rest } = parseFrames(bytes);
  expect([frames.map(({ kind }) => kind), rest.length]).toEqual([['message', 'close'], 0]);
});

test('using closes it', async () => {
  const [left, right] = channelPair();
  await left[Symbol.asyncDispose ?? Symbol.for('nodejs.asyncDispose')]();
  expect(await closeOf(right)).toBe(null);
  const [channel] = channelPair();
  channel[Symbol.dispose ?? Symbol.for('nodejs.dispose')]();
  expect(channel.closed).toBe(true);
  await closeOf(channel);
});

test('a channel keeps the process running until unref(), and not once it is closed', async () => {
  const outcome = await runFixture('channel/unref.js');
  expect(outcome).toMatchObject({ code: 0, stdout: 'end\n', timedOut: false });
});

test('a process that is killed while it sends leaves whole messages and an error', async () => {
  const [ours, theirs] = socketpair();
  const { startFixture } = require('../helpers/child');
  const child = startFixture('channel/sends_forever.js', [], { stdio: ['ignore', 'pipe', 'pipe', theirs.fd] });
  theirs.close();
  const channel = closing(new Channel(ours));
  let count = 0;
  channel.on('message', ({ number, text }) => {
    expect([number, text.length]).toEqual([count, (count * 7919) % 100_000]);
    count += 1;
    if (count === 200) child.kill('SIGKILL');
  });
  const reason = await closeOf(channel);
  expect(reason.code).toMatch(/ERR_CHANNEL_(ENDED|TRUNCATED)/);
  expect(count).toBeGreaterThanOrEqual(200);
});

test('a Descriptor that was given is the channel’s', async () => {
  const [ours, theirs] = socketpair();
  closing(theirs);
  const channel = closing(new Channel(ours));
  expect(ours.isOpen).toBe(false);
  expect(() => Descriptor.from(channel.fd)).toThrow(expect.objectContaining({ code: 'EEXIST' }));
});
