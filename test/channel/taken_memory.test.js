'use strict';

// A raw message whose memory is transferred away before the kernel has it: it is not sent from
// memory that belongs to something else by then.

const { once } = require('node:events');
const { channelPair, channelAndSocket, closeOf } = require('../helpers/channels');
const { closing } = require('../helpers/closing');
const { socketpair } = require('../../lib/descriptors');

const SIZE = 1_000_000;
const whole = (fill, size = SIZE) => Buffer.from(new ArrayBuffer(size)).fill(fill);
const detach = ({ buffer }) => structuredClone(buffer, { transfer: [buffer] });

test.each([
  ['before the turn ends', (channel, message) => channel.sent(message), 50_000],
  [
    'while it is queued',
    (channel, message) => {
      channel.send(whole('b'));
      channel.send(whole('b'));
      return channel.sent(message);
    },
  ],
  [
    'behind others of its write',
    (channel, message) => {
      for (let i = 0; i < 5; i++) channel.send(whole('b'), [0]);
      return channel.sent(message, [0]);
    },
  ],
])('%s: the channel ends with EFAULT', async (_, send, size = SIZE) => {
  const [channel, socket] = channelAndSocket({ serialization: 'raw' });
  const closed = closeOf(channel);
  const ended = once(socket, 'end');
  let bytes = 0;
  socket.on('descriptors', (list) => list.forEach((descriptor) => descriptor.close()));
  socket.on('data', (chunk) => (bytes += chunk.length));
  const message = whole('a', size);
  const sent = send(channel, message);
  detach(message);
  await expect(sent).rejects.toMatchObject({ code: 'EFAULT' });
  expect(await closed).toMatchObject({ code: 'EFAULT' });
  await ended;
  expect(bytes).toBeLessThan(6 * SIZE);
});

test('once the kernel has begun with it, the channel ends with EFAULT and the peer’s is cut', async () => {
  const [left, right] = channelPair({ serialization: 'raw' });
  const messages = [];
  right.on('message', (message) => messages.push(message));
  const message = whole('a');
  const sent = left.sent(message);
  await new Promise(process.nextTick);
  expect(left.queuedBytes).toBeGreaterThan(0);
  detach(message);
  await expect(sent).rejects.toMatchObject({ code: 'EFAULT' });
  expect(await closeOf(right)).toMatchObject({ code: 'ERR_CHANNEL_TRUNCATED' });
  expect(messages).toEqual([]);
});

test('what was sent may be taken away', async () => {
  const [left, right] = channelPair({ serialization: 'raw' });
  const came = [];
  right.on('message', (message) => came.push(message));
  for (let i = 0; i < 5; i++) {
    const message = whole('a');
    await left.sent(message);
    detach(message);
  }
  await left.close();
  if (!right.closed) await closeOf(right);
  expect(came.map((message) => message.equals(whole('a')))).toEqual(new Array(5).fill(true));
});

test('a write of a socket with descriptors fails in the same way', async () => {
  const [socket, other] = socketpair().map((end) => closing(end.toSocket({ descriptors: true })));
  const message = whole('a');
  const outcome = new Promise((resolve) => socket.write(message, resolve));
  socket.on('error', () => {});
  detach(message);
  other.on('data', () => {});
  expect(await outcome).toMatchObject({ code: 'EFAULT' });
});
