'use strict';

// Requests and their replies.

const { once } = require('node:events');
const { Channel } = require('../../lib/channel');
const { channelAndSocket, channelPair, frame, messagesOf, parseFrames } = require('../helpers/channels');

test.each(['json', 'advanced'])(
  '%s: a reply is what the handler returns, or its promise gives',
  async (serialization) => {
    const [left, right] = channelPair({ serialization });
    right.onRequest((message) => (message.now ? { got: message } : Promise.resolve(message.value)));
    const replies = await Promise.all([
      left.request({ value: 'later' }),
      left.request({ now: true }),
      left.request({ value: undefined }),
      left.request({ value: new Array(10).fill(7) }),
    ]);
    expect(replies.map(({ message }) => message)).toEqual([
      'later',
      { got: { now: true } },
      undefined,
      Array(10).fill(7),
    ]);
    expect(replies[0].descriptors).toEqual([]);
  },
);

test('raw: a request and a reply are Buffers', async () => {
  const [left, right] = channelPair({ serialization: 'raw' });
  right.onRequest((message) => (message.length === 0 ? undefined : Buffer.concat([message, message])));
  expect(await left.request(Buffer.from('ab'))).toEqual({ message: Buffer.from('abab'), descriptors: [] });
  const { message } = await left.request(Buffer.alloc(200_000, 1));
  expect(message.equals(Buffer.alloc(400_000, 1))).toBe(true);
  expect((await left.request(Buffer.alloc(0))).message).toEqual(Buffer.alloc(0));
});

test('requests of both sides are under way at once, and are answered in any order', async () => {
  const pair = channelPair();
  const open = [];
  for (const channel of pair) channel.onRequest((message) => new Promise((resolve) => open.push([resolve, message])));
  const asked = pair.flatMap((channel) => [1, 2, 3].map((number) => channel.request(number)));
  while (open.length < 6) await new Promise(setImmediate);
  for (const [resolve, message] of open.reverse()) resolve(message * 10);
  const replies = await Promise.all(asked);
  expect(replies.map(({ message }) => message)).toEqual([10, 20, 30, 10, 20, 30]);
});

test.each([
  [
    'throws',
    () => {
      throw Object.assign(new TypeError('no'), { code: 'E_NO' });
    },
    { name: 'TypeError', message: 'no', code: 'E_NO' },
  ],
  [
    'rejects',
    async () => {
      throw new Error('no');
    },
    { name: 'Error', message: 'no', code: undefined },
  ],
  ['throws a string', () => { throw 'no'; }, { name: 'Error', message: 'no', code: undefined }], // prettier-ignore
  [
    'throws nothing',
    () => {
      throw undefined;
    },
    { message: 'undefined' },
  ],
  [
    'throws what has no text',
    () => {
      throw {
        get message() {
          throw new Error();
        },
      };
    },
    { message: 'an error that cannot be shown' },
  ],
  ['returns what has no form', () => () => {}, { name: 'TypeError', code: 'ERR_INVALID_ARG_TYPE' }],
  ['returns what is too large', () => 'x'.repeat(2_000), { code: 'ERR_CHANNEL_MESSAGE_TOO_LARGE' }],
  [
    'throws a long text',
    () => {
      throw new Error('x'.repeat(100_000));
    },
    { message: '' },
  ],
])('a handler that %s rejects the request, and the channel goes on', async (_, handler, cause) => {
  const [left, right] = channelPair({ maxMessageBytes: 1_000 });
  right.onRequest(handler);
  const error = await left.request('question').catch((reason) => reason);
  expect(error).toMatchObject({ code: 'ERR_CHANNEL_REQUEST_FAILED', cause });
  expect(error.message).toBe(`The peer failed to answer: ${error.cause.message}`);
  right.onRequest(() => 'fine');
  expect(await left.request('question')).toMatchObject({ message: 'fine' });
});

test('requests wait until there is a handler, also after one was taken away', async () => {
  const [left, right] = channelPair();
  const early = left.request('early');
  while (right.stats().held === 0) await new Promise(setImmediate);
  right.onRequest(() => 'first');
  expect(await early).toMatchObject({ message: 'first' });
  right.onRequest(null);
  const late = left.request('late');
  while (right.stats().held === 0) await new Promise(setImmediate);
  right.onRequest(() => 'second');
  expect(await late).toMatchObject({ message: 'second' });
});

test('replies come past messages that nobody takes', async () => {
  const [left, right] = channelPair();
  right.onRequest(() => {
    right.send('not taken');
    return 'reply';
  });
  expect(await left.request('question')).toMatchObject({ message: 'reply' });
  expect(await messagesOf(left, 1)).toMatchObject([{ message: 'not taken' }]);
});

test('a timeout rejects, and the late reply is dropped', async () => {
  const [left, right] = channelPair();
  let answer;
  right.onRequest(() => new Promise((resolve) => (answer = resolve)));
  await expect(left.request('question', { timeout: 1 })).rejects.toMatchObject({ code: 'ERR_CHANNEL_REQUEST_TIMEOUT' });
  while (answer === undefined) await new Promise(setImmediate);
  answer('late');
  right.onRequest(() => 'in time');
  expect(await left.request('question', { timeout: 100_000 })).toMatchObject({ message: 'in time' });
  expect(left.stats().requests).toBe(0);
});

test('an AbortSignal rejects, before and after the request was sent', async () => {
  const [left, right] = channelPair();
  const reason = new Error('why');
  const aborted = { name: 'AbortError', code: 'ABORT_ERR', cause: reason };
  await expect(left.request('never', { signal: AbortSignal.abort(reason) })).rejects.toMatchObject(aborted);
  const controller = new AbortController();
  const asked = left.request('question', { signal: controller.signal });
  controller.abort(reason);
  await expect(asked).rejects.toMatchObject(aborted);
  right.onRequest((message) => message);
  const signal = new AbortController().signal;
  expect(await left.request('next', { signal })).toMatchObject({ message: 'next' });
  expect(left.stats().requests).toBe(0);
});

test('a signal that is aborted by the message itself stops the request', async () => {
  const [channel, socket] = channelAndSocket();
  const controller = new AbortController();
  const asked = channel.request({ toJSON: () => controller.abort() ?? 'text' }, { signal: controller.signal });
  await expect(asked).rejects.toMatchObject({ name: 'AbortError' });
  expect(channel.stats().requests).toBe(0);
  channel.send('behind');
  const [chunk] = await once(socket, 'data');
  expect(parseFrames(chunk).frames.map(({ kind }) => kind)).toEqual(['message']);
});

test.each([
  ['calls back twice', (resolve) => (resolve('first'), resolve('second'))],
  ['calls back both', (resolve, reject) => (resolve('first'), reject(new Error('no')))],
  [
    'calls back and throws',
    (resolve) => {
      resolve('first');
      throw new Error('no');
    },
  ],
])('a thenable that %s gives one reply', async (_, then) => {
  const [channel, socket] = channelAndSocket();
  channel.onRequest(() => ({ then }));
  socket.write(frame('request', '"question"', { id: 5 }));
  let bytes = Buffer.alloc(0);
  socket.on('data', (chunk) => (bytes = Buffer.concat([bytes, chunk])));
  while (bytes.length === 0) await new Promise(setImmediate);
  await channel.close();
  while (parseFrames(bytes).frames.at(-1).kind !== 'close') await new Promise(setImmediate);
  expect(parseFrames(bytes).frames.map(({ kind, payload }) => [kind, String(payload)])).toEqual([
    ['reply', '"first"'],
    ['close', ''],
  ]);
});

test.each([
  ['timeout', -1, 'ERR_OUT_OF_RANGE'],
  ['timeout', '1', 'ERR_INVALID_ARG_TYPE'],
  ['signal', {}, 'ERR_INVALID_ARG_TYPE'],
  ['signal', { aborted: false }, 'ERR_INVALID_ARG_TYPE'],
  ['descriptors', 5, 'ERR_INVALID_ARG_TYPE'],
  ['keep', 1, 'ERR_INVALID_ARG_TYPE'],
])('the option %s is not %p', async (name, value, code) => {
  const [left] = channelPair();
  await expect(left.request('question', { [name]: value })).rejects.toMatchObject({ code });
  expect(() => left.onRequest(5)).toThrow(expect.objectContaining({ code: 'ERR_INVALID_ARG_TYPE' }));
});

test('requests that wait fail when the channel closes, whoever closes it', async () => {
  const [left, right] = channelPair();
  const ours = left.request('question');
  const theirs = right.request('question');
  left.close();
  await expect(ours).rejects.toMatchObject({ code: 'ERR_CHANNEL_CLOSED' });
  await expect(theirs).rejects.toMatchObject({ code: 'ERR_CHANNEL_CLOSED' });
  await expect(left.request('late')).rejects.toMatchObject({ code: 'ERR_CHANNEL_CLOSED' });
});

test('a reply with an unknown id, and a second one with a known id, are dropped', async () => {
  const [channel, socket] = channelAndSocket();
  const asked = channel.request('question');
  const [chunk] = await once(socket, 'data');
  const [{ id, payload }] = parseFrames(chunk).frames;
  expect(String(payload)).toBe('"question"');
  for (const [kind, other, text] of [
    ['reply', id + 1, '"unknown"'],
    ['error', id + 2, '{}'],
    ['reply', id, '"first"'],
    ['reply', id, '"second"'],
  ]) {
    socket.write(frame(kind, text, { id: other }));
  }
  socket.write(frame('message', '"end"'));
  expect(await asked).toMatchObject({ message: 'first' });
  expect(await messagesOf(channel, 1)).toMatchObject([{ message: 'end' }]);
});

test('two requests with one id are answered both', async () => {
  const [channel, socket] = channelAndSocket();
  channel.onRequest((message) => message);
  socket.write(Buffer.concat([1, 2].map((number) => frame('request', String(number), { id: 4_000_000_000 }))));
  const [chunk] = await once(socket, 'data');
  const answers = parseFrames(chunk).frames.map(({ kind, id, payload }) => [kind, id, String(payload)]);
  expect(answers).toEqual([
    ['reply', 4_000_000_000, '1'],
    ['reply', 4_000_000_000, '2'],
  ]);
});

test('an error of a peer that says nothing is an error all the same', async () => {
  const [channel, socket] = channelAndSocket();
  const asked = channel.request('question');
  const [chunk] = await once(socket, 'data');
  socket.write(frame('error', '[1]', { id: parseFrames(chunk).frames[0].id }));
  await expect(asked).rejects.toMatchObject({
    code: 'ERR_CHANNEL_REQUEST_FAILED',
    cause: { name: 'Error', message: '' },
  });
});

test('a peer that asks and does not read gets no more replies made than fit', async () => {
  const [channel, socket] = channelAndSocket({ serialization: 'raw' });
  const reply = Buffer.alloc(100_000);
  let made = 0;
  channel.onRequest(() => {
    made += 1;
    return reply;
  });
  const ask = frame('request', '', { id: 1, encoding: 'raw' });
  socket.pause();
  socket.write(Buffer.concat(new Array(100).fill(ask)));
  while (channel.stats().bytesRead < 100 * ask.length) await new Promise(setImmediate);
  expect(made).toBeLessThan(20);
  expect(channel.queuedBytes).toBeLessThan(1_000_000);
  let bytes = 0;
  socket.on('data', (chunk) => (bytes += chunk.length)).resume();
  while (bytes < 100 * (reply.length + ask.length)) await new Promise(setImmediate);
  expect(made).toBe(100);
});

test('a message that is behind a request which has to wait waits, too', async () => {
  const [channel, socket] = channelAndSocket({ serialization: 'raw' });
  const order = [];
  channel.onRequest(() => {
    order.push('request');
    return Buffer.alloc(1_000_000);
  });
  channel.on('message', () => order.push('message'));
  const [ask, tell] = [frame('request', '', { id: 1, encoding: 'raw' }), frame('message', '', { encoding: 'raw' })];
  socket.pause();
  socket.write(Buffer.concat([ask, ask, tell, ask, tell]));
  while (channel.stats().held === 0) await new Promise(setImmediate);
  socket.resume();
  while (order.length < 5) await new Promise(setImmediate);
  expect(order).toEqual(['request', 'request', 'message', 'request', 'message']);
});

test('two sides that flood each other with requests and replies both come through', async () => {
  const pair = channelPair({ serialization: 'raw', highWaterMark: 1_000 });
  for (const channel of pair) channel.onRequest((message) => message);
  const message = Buffer.alloc(30_000, 1);
  const asked = pair.flatMap((channel) => Array.from({ length: 200 }, () => channel.request(message)));
  for (const reply of await Promise.all(asked)) expect(reply.message.length).toBe(message.length);
});

test('a reply made by hand is no reply with descriptors', async () => {
  const [left, right] = channelPair();
  right.onRequest(() => ({ ...Channel.reply('x', []), more: true }));
  expect(await left.request(1)).toMatchObject({ message: { message: 'x', more: true } });
});
