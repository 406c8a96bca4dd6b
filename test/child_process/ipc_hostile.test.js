'use strict';

// What a child should not send, and may all the same: nothing of it hurts us. The child is
// a Python program.

const { once } = require('node:events');
const path = require('node:path');

const { spawn } = require('../../lib/child_process');
const { Descriptor } = require('../../lib/descriptors');
const { Decoder: AdvancedDecoder, encode: encodeAdvanced } = require('../../lib/child_process/ipc/advanced');
const { Decoder: JsonDecoder, encode: encodeJson } = require('../../lib/child_process/ipc/json');
const { closing } = require('../helpers/closing');

const PEER = path.join(__dirname, '../fixtures/child_process/ipc_peer.py');

const start = (args, options) =>
  closing(
    spawn('python3', [PEER, ...args.map(String)], { stdio: ['ignore', 'inherit', 'inherit', 'ipc'], ...options }),
  );

/** All messages until 'over', with their descriptors. */
async function until(child, last) {
  const all = [];
  for (;;) {
    const [message, ...handles] = await once(child, 'message');
    if (message === last) return all;
    for (const handle of handles) if (handle !== undefined) closing(handle);
    all.push([
      message,
      handles.map((handle) => (Descriptor.isDescriptor(handle) ? handle.type : handle?.constructor.name)),
    ]);
  }
}

test('garbage, acknowledgements of nothing, handles wrapped twice, without a descriptor or of unknown types', async () => {
  const child = start(['hostile']);
  const garbage = [];
  child.on('messageerror', (error) => garbage.push(error.name));
  expect(await until(child, 'over')).toEqual([
    ['wrapped twice', ['Socket']],
    ['unknown type', ['pipe']],
    ['no server', ['pipe']],
    ['two unexpected', ['pipe', 'pipe']],
    ['none', [undefined]],
  ]);
  expect(garbage).toEqual(['SyntaxError', 'SyntaxError', 'SyntaxError']);
  expect(child.connected).toBe(true);
});

test('descriptors that nobody has asked for: 16 are kept, the rest is closed', async () => {
  const child = start(['many', 40]);
  await once(child, 'internalMessage'); // Nobody listens to the others: they are held.
  const all = await until(child, 'over');
  expect(all).toHaveLength(40);
  expect(all.filter(([, [handle]]) => handle === 'pipe')).toHaveLength(16);
});

test('handles for which nobody listens yet: the sender waits, and none is lost', async () => {
  const child = start(['polite', 40]);
  let sent = -1;
  child.on('internalMessage', ({ number }) => (sent = number));
  while (sent < 16) await once(child, 'internalMessage');
  for (let number = 0; number < 40; number++) {
    const [message, handle] = await once(child, 'message');
    expect([message, handle.constructor.name]).toEqual([number, 'Socket']);
    expect(sent).toBeLessThanOrEqual(number + 17);
    handle.destroy();
  }
  expect((await once(child, 'message'))[0]).toEqual(Array(40).fill('NODE_HANDLE_ACK'));
});

test('a sender that does not wait has to send again: it is told so, in order', async () => {
  const child = start(['impolite', 40]);
  await once(child, 'internalMessage');
  const all = await until(child, 'over');
  expect(all).toEqual(Array.from({ length: 17 }, (_, number) => [number, ['Socket']]));
  const answers = (await once(child, 'message'))[0];
  expect(answers).toEqual([...Array(17).fill('NODE_HANDLE_ACK'), ...Array(23).fill('NODE_HANDLE_NACK')]);
});

test('a handle with an internal message that nothing listens to is closed', async () => {
  const child = start(['internal']);
  expect(await once(child, 'message')).toEqual(['closed', undefined]);
});

test('an over-long message ends the channel, before it is all in memory', async () => {
  const child = start(['long', 64 * 1024 * 1024], { maxMessageBytes: 1024 * 1024 });
  const [[error]] = await Promise.all([once(child, 'messageerror'), once(child, 'disconnect')]);
  expect(error).toMatchObject({ code: 'ERR_IPC_MESSAGE_TOO_LONG', message: expect.stringContaining('1048576') });
  await once(child, 'close');
});

test('a child that dies within a message with a descriptor', async () => {
  const child = start(['cut']);
  const messages = [];
  child.on('message', (message) => messages.push(message));
  await once(child, 'close');
  expect(messages).toEqual([]);
});

describe.each([
  ['json', JsonDecoder, encodeJson],
  ['advanced', AdvancedDecoder, encodeAdvanced],
])('the decoder of %s', (_, Decoder, encode) => {
  const MESSAGES = [{ a: 1 }, 'ü€😀', [], null, 'x'.repeat(300), 7];
  const bytes = Buffer.concat(MESSAGES.map((message) => Buffer.from(encode(message))));

  function decode(chunks, max = 1000) {
    const got = [];
    const ends = [];
    let position = 0;
    const decoder = new Decoder(
      max,
      (message, end) => {
        got.push(message);
        ends.push(position + end);
      },
      (error) => got.push(error.name),
    );
    for (const chunk of chunks) {
      decoder.push(chunk);
      position += chunk.length;
    }
    return { got, ends, isWithin: decoder.isWithin };
  }

  test('puts messages together wherever they are cut', () => {
    const whole = decode([bytes]);
    expect(whole.got).toEqual(MESSAGES);
    expect(whole.ends.at(-1)).toBe(bytes.length);
    for (let at = 1; at < bytes.length; at++) {
      expect(decode([bytes.subarray(0, at), bytes.subarray(at)])).toEqual(whole);
    }
    expect(decode([...bytes].map((byte) => Buffer.of(byte)))).toEqual(whole);
  });

  test('refuses what is longer than it may be', () => {
    const tooLong = expect.objectContaining({ code: 'ERR_IPC_MESSAGE_TOO_LONG' });
    expect(() => decode([bytes], 100)).toThrow(tooLong);
    expect(() =>
      decode(
        [...bytes].map((byte) => Buffer.of(byte)),
        100,
      ),
    ).toThrow('100');
  });

  test('reports garbage, and goes on with the next message', () => {
    const garbage = Buffer.from(bytes);
    garbage[encode(MESSAGES[0]).length - 4] ^= 0xff;
    const { got } = decode([garbage]);
    expect(got.slice(1)).toEqual(MESSAGES.slice(1));
    expect(got[0]).not.toEqual(MESSAGES[0]);
  });
});
