'use strict';

// Messages: what each serialization carries, their order, who gets them and when.

const { once } = require('node:events');
const { setImmediate: turn } = require('node:timers/promises');
const v8 = require('node:v8');
const { runFixture } = require('../helpers/child');
const { channelAndSocket, channelPair, frame, messagesOf, parseFrames } = require('../helpers/channels');

const VALUES = {
  json: [{ a: 1, b: [1, 2, { c: null }] }, 'text', 'grüße 😀', '', 0, -1.5, true, null, [], {}, undefined, '\0'],
  advanced: [
    { a: 1, b: [1, 2, { c: null }], __proto__: null },
    ['text', 'grüße 😀', undefined, NaN, -0, 10n ** 30n],
    new Map([['k', new Set([1])]]),
    new Date(12_345),
    /x/g,
    Buffer.from('bytes'),
    new Float64Array([1.5]),
    undefined,
    'x'.repeat(10_000),
    [1, , 3], // eslint-disable-line no-sparse-arrays
    Object.assign([1], { name: 'extra' }),
    Object.setPrototypeOf([1, 2], Object.prototype),
    Object.create(Array.prototype, { own: { value: 1, enumerable: true } }),
  ],
  raw: [Buffer.from('bytes'), Buffer.alloc(0), Buffer.alloc(70_000, 1), Buffer.alloc(300_000, 2), Buffer.from('end')],
};

// What an array is does not depend on its prototype, which is not carried.
const withoutPrototype = (value) =>
  value instanceof Array !== Array.isArray(value) ? v8.deserialize(v8.serialize(value)) : value;

test.each(Object.keys(VALUES))('%s carries its values in order', async (serialization) => {
  const [left, right] = channelPair({ serialization });
  for (const value of VALUES[serialization]) left.send(value);
  const received = await messagesOf(right, VALUES[serialization].length);
  expect(received.map(({ message }) => message)).toEqual(VALUES[serialization].map(withoutPrototype));
});

test('raw takes views of any kind', async () => {
  const [left, right] = channelPair({ serialization: 'raw' });
  const { buffer } = Uint16Array.from([1, 2, 3, 4]);
  left.send(new Uint16Array(buffer, 2, 2));
  left.send(new DataView(buffer, 6));
  const received = await messagesOf(right, 2);
  expect(received.map(({ message }) => [...message])).toEqual([
    [2, 0, 3, 0],
    [4, 0],
  ]);
  expect(() => left.send('text')).toThrow(expect.objectContaining({ code: 'ERR_INVALID_ARG_TYPE' }));
});

test.each([10, 5_000])('a raw message of %d bytes has memory of its own', async (size) => {
  const [left, right] = channelPair({ serialization: 'raw' });
  for (let i = 0; i < 3; i++) left.send(Buffer.alloc(size, i));
  for (const { message } of await messagesOf(right, 3)) {
    expect(Buffer.isBuffer(message)).toBe(true);
    expect(message.buffer.byteLength).toBe(size);
  }
});

test('a small Buffer may be changed as soon as it was sent', async () => {
  const [left, right] = channelPair({ serialization: 'raw' });
  const buffer = Buffer.from('first');
  left.send(buffer);
  buffer.write('later');
  const [{ message }] = await messagesOf(right, 1);
  expect(String(message)).toBe('first');
});

// The messages of a turn go through one Serializer, which writes an object that it has
// seen as a reference to it.
describe.each(['json', 'advanced'])('%s: messages of one turn share nothing', (serialization) => {
  test.each([
    ['a plain object', () => ({ value: 1, inner: { value: 1 } })],
    ['an object with a Map', () => ({ value: 1, inner: { value: 1 }, map: new Map() })],
  ])('%s that is sent twice arrives as two', async (_, make) => {
    const [left, right] = channelPair({ serialization });
    const object = make();
    left.send(object);
    left.send(object);
    left.send({ object });
    const [first, second, third] = (await messagesOf(right, 3)).map(({ message }) => message);
    expect(second).not.toBe(first);
    expect(second.inner).not.toBe(first.inner);
    expect(third.object.inner).not.toBe(first.inner);
    expect([second, third.object]).toEqual([first, first]);
  });

  test.each([
    ['a plain object', () => ({ value: 0, inner: { value: 0 }, list: [0] })],
    ['an object with a Map', () => ({ value: 0, inner: { value: 0 }, list: [0], map: new Map() })],
  ])('%s is sent as it is at that moment', async (_, make) => {
    const [left, right] = channelPair({ serialization });
    const object = make();
    for (let i = 1; i <= 3; i++) {
      object.value = i;
      object.inner.value = i;
      object.list[0] = i;
      left.send(object);
    }
    object.value = 4;
    const received = (await messagesOf(right, 3)).map(({ message }) => message);
    expect(received.map(({ value, inner, list }) => [value, inner.value, ...list])).toEqual([
      [1, 1, 1],
      [2, 2, 2],
      [3, 3, 3],
    ]);
  });
});

test('advanced: what a message has twice arrives as one object, also in a circle', async () => {
  const [left, right] = channelPair({ serialization: 'advanced' });
  const shared = { name: 'shared' };
  const circle = {};
  circle.self = circle;
  left.send({ first: shared, second: shared });
  left.send(circle);
  const [{ message: twice }, { message: round }] = await messagesOf(right, 2);
  expect(twice.second).toBe(twice.first);
  expect(round.self).toBe(round);
});

test('advanced: a getter is read once, and own names that mean something to objects are carried', async () => {
  const [left, right] = channelPair({ serialization: 'advanced' });
  let reads = 0;
  const message = JSON.parse('{ "__proto__": { "a": 1 }, "constructor": [1] }');
  Object.defineProperty(message, 'count', { enumerable: true, get: () => (reads += 1) });
  left.send(message);
  const [received] = await messagesOf(right, 1);
  expect(Object.entries(received.message)).toEqual([
    ['__proto__', { a: 1 }],
    ['constructor', [1]],
    ['count', 1],
  ]);
});

test.each([
  ['json', () => 1, /"message" argument must be one of type/],
  ['json', Symbol('s'), /"message" argument must be one of type/],
  ['advanced', { f() {} }, /could not be cloned/],
  ['advanced', { deep: { list: [Symbol('s')] } }, /could not be cloned/],
])('%s refuses what it cannot carry, and goes on', async (serialization, value, text) => {
  const [left, right] = channelPair({ serialization });
  left.send('before');
  expect(() => left.send(value)).toThrow(text);
  left.send('after');
  const received = await messagesOf(right, 2);
  expect(received.map(({ message }) => message)).toEqual(['before', 'after']);
});

test.each(['json', 'advanced', 'raw'])('%s refuses a message of more than maxMessageBytes', async (serialization) => {
  const [left, right] = channelPair({ serialization, maxMessageBytes: 100_000 });
  const make = (size) => (serialization === 'raw' ? Buffer.alloc(size) : 'x'.repeat(size));
  for (const size of [100_002, 1_000_000]) {
    expect(() => left.send(make(size))).toThrow(expect.objectContaining({ code: 'ERR_CHANNEL_MESSAGE_TOO_LARGE' }));
  }
  left.send(make(1_000));
  expect(await messagesOf(right, 1)).toHaveLength(1);
});

test('a small maxMessageBytes is kept to the byte', async () => {
  const [left, right] = channelPair({ maxMessageBytes: 5 });
  expect(() => left.send('four')).toThrow('A message of 6 bytes, where 5 are allowed');
  left.send('abc');
  expect(await messagesOf(right, 1)).toMatchObject([{ message: 'abc' }]);
});

test.each([
  ['json', 'x'.repeat(64 * 1024 * 1024 - 2)],
  ['raw', Buffer.alloc(64 * 1024 * 1024, 7)],
])('%s carries 64 MiB', async (serialization, message) => {
  const [left, right] = channelPair({ serialization });
  const sent = left.sent(message);
  const [received] = await messagesOf(right, 1);
  expect(received.message.length).toBe(message.length);
  expect(received.message === message || message.equals(received.message)).toBe(true);
  await sent;
});

describe('who gets a message', () => {
  test('it is held until somebody listens', async () => {
    const [left, right] = channelPair();
    await left.sent('held');
    while (right.stats().held === 0) await turn();
    const [message, descriptors] = await once(right, 'message');
    expect([message, descriptors]).toEqual(['held', []]);
  });

  test('messages that came together wait for one once() after the other', async () => {
    const [left, right] = channelPair();
    for (let i = 0; i < 3; i++) left.send(i);
    const seen = [];
    for (let i = 0; i < 3; i++) seen.push((await once(right, 'message'))[0]);
    expect(seen).toEqual([0, 1, 2]);
  });

  test('a listener that throws keeps none of the others from theirs', async () => {
    const { code, stdout } = await runFixture('channel/throwing_listener.js');
    expect({ code, stdout }).toEqual({ code: 0, stdout: 'uncaught 1\nuncaught 2\nclosed null\n' });
  });

  test('what is not taken stops the reading, and with it the sender', async () => {
    const [left, right] = channelPair();
    const text = 'x'.repeat(10_000);
    let count = 1;
    while (left.send(text)) {
      count += 1;
      await turn();
    }
    expect(right.stats().bytesRead).toBeLessThan(count * 10_000);
    const drained = once(left, 'drain');
    left.send('end');
    let received = 0;
    for await (const { message } of right) {
      if (message === 'end') break;
      received += 1;
    }
    expect(received).toBe(count);
    await drained;
  });

  test("send() that returns false is followed by 'drain', also if the kernel takes all at once", async () => {
    const [left] = channelPair({ highWaterMark: 10 });
    expect(left.send('tiny')).toBe(false);
    await once(left, 'drain');
    expect(left.queuedBytes).toBe(0);
  });

  test('iterations share the messages, and leaving one closes nothing', async () => {
    const [left, right] = channelPair();
    const first = right[Symbol.asyncIterator]();
    const second = right[Symbol.asyncIterator]();
    const results = [first.next(), second.next(), first.next()];
    for (let i = 0; i < 3; i++) left.send(i);
    expect((await Promise.all(results)).map(({ value }) => value.message)).toEqual([0, 1, 2]);
    const waiting = first.next();
    await first.return();
    expect(await waiting).toEqual({ done: true, value: undefined });
    left.send('for the other one');
    expect(await second.next()).toMatchObject({ value: { message: 'for the other one' } });
  });
});

test('all messages of a turn leave in one write', async () => {
  const [channel, socket] = channelAndSocket();
  for (let i = 0; i < 100; i++) channel.send({ i });
  const [chunk] = await once(socket, 'data');
  expect(parseFrames(chunk).frames).toHaveLength(100);
});

test('what is sent from a message handler leaves before anything else runs', async () => {
  const [channel, socket] = channelAndSocket();
  channel.on('message', (message) => {
    channel.send(message);
    process.nextTick(() => expect(channel.queuedBytes).toBe(0));
  });
  socket.write(frame('message', '"hello"'));
  const [chunk] = await once(socket, 'data');
  expect(String(parseFrames(chunk).frames[0].payload)).toBe('"hello"');
});

test('toJSON() may send, and even close', async () => {
  const [left, right] = channelPair();
  const sends = { toJSON: () => (left.send('inner'), 'outer') };
  left.send(sends);
  const received = await messagesOf(right, 2);
  expect(received.map(({ message }) => message)).toEqual(['inner', 'outer']);
  const closes = { toJSON: () => left.destroy().closed };
  expect(() => left.send(closes)).toThrow(expect.objectContaining({ code: 'ERR_CHANNEL_CLOSED' }));
});

test('sent() resolves when the kernel has the message, and rejects if it never gets it', async () => {
  const [left, right] = channelPair({ serialization: 'raw' });
  await left.sent(Buffer.from('small'));
  const large = left.sent(Buffer.alloc(5_000_000));
  const behind = left.sent(Buffer.from('behind'));
  expect(left.queuedBytes).toBeGreaterThan(0);
  right.destroy();
  await expect(large).rejects.toMatchObject({ code: expect.stringMatching(/EPIPE|ECONNRESET|ERR_CHANNEL_ENDED/) });
  await expect(behind).rejects.toBeInstanceOf(Error);
  await expect(left.sent(Buffer.from('late'))).rejects.toMatchObject({ code: 'ERR_CHANNEL_CLOSED' });
});
