'use strict';

// What a reader gets: chunks that own their bytes and pin little more than those.

const { once } = require('node:events');
const { MessageChannel } = require('node:worker_threads');
const net = require('../../lib/net');
const { connectedPair } = require('../helpers/net_pair');

// The first chunk of exactly `length` bytes; the sender writes them in one go.
async function chunkOf(length, { byte = 1 } = {}) {
  const { client, accepted } = await connectedPair(net);
  const chunks = [];
  client.on('data', (chunk) => chunks.push(chunk));
  accepted.end(Buffer.alloc(length, byte));
  await once(client, 'end');
  return chunks;
}

test.each([1, 2, 63, 64, 100, 4096, 4097, 8192, 16384, 32767])(
  'a chunk of %i bytes owns exactly its bytes',
  async (length) => {
    const [chunk] = await chunkOf(length);
    expect(chunk).toHaveLength(length);
    expect([chunk.byteOffset, chunk.buffer.byteLength]).toEqual([0, length]);
  },
);

test.each([32768, 40000, 65535, 65536, 1_000_000])(
  'chunks of a message of %i bytes pin at most twice their size',
  async (length) => {
    const chunks = await chunkOf(length);
    expect(chunks.reduce((sum, chunk) => sum + chunk.length, 0)).toBe(length);
    for (const chunk of chunks) expect(chunk.buffer.byteLength).toBeLessThanOrEqual(2 * chunk.length);
  },
);

// Reads of one turn, a large one last, fill a slab to near its end; the next turn uses it
// again.
test('the memory behind a large chunk shows no bytes of another connection', async () => {
  const spy = await connectedPair(net);
  const others = await Promise.all(Array.from({ length: 11 }, () => connectedPair(net)));
  const received = Promise.all(others.map(({ client }) => once(client, 'data')));
  others.forEach(({ accepted }, i) => accepted._handle.writeBuffer(Buffer.alloc(i < 10 ? 3000 : 30_000, 's')));
  await received;
  spy.accepted.write(Buffer.alloc(33_000, 'x'));
  const [chunk] = await once(spy.client, 'data');
  expect(chunk.buffer.byteLength).toBeGreaterThan(chunk.length);
  expect(Buffer.from(chunk.buffer).includes('ssss')).toBe(false);
});

test('no two chunks share memory', async () => {
  const pairs = await Promise.all(Array.from({ length: 20 }, () => connectedPair(net)));
  const chunks = [];
  for (const { client } of pairs) client.on('data', (chunk) => chunks.push(chunk));
  for (const { accepted } of pairs) accepted.write('a');
  for (const { accepted } of pairs) accepted.end(Buffer.alloc(200_000, 'b'));
  await Promise.all(pairs.map(({ client }) => once(client, 'end')));
  expect(new Set(chunks.map((chunk) => chunk.buffer)).size).toBe(chunks.length);
});

test.each([10, 50_000])('a kept chunk of %i bytes stays as it was', async (length) => {
  const { client, accepted } = await connectedPair(net);
  accepted.write(Buffer.alloc(length, 'k'));
  const [kept] = await once(client, 'data');
  const before = String(kept);
  client.resume();
  for (let i = 0; i < 50; i++) accepted.write(Buffer.alloc(60_000, 'n'));
  accepted.end();
  await once(client, 'end');
  expect(String(kept)).toBe(before);
});

test.each([10, 50_000])('a chunk of %i bytes that is transferred away disturbs nobody', async (length) => {
  const { client, accepted } = await connectedPair(net);
  const { port1, port2 } = new MessageChannel();
  accepted.write(Buffer.alloc(length, 'a'));
  const [chunk] = await once(client, 'data');
  try {
    port1.postMessage(chunk, [chunk.buffer]);
  } catch (err) {
    expect(err.name).toBe('DataCloneError'); // Marked as not to be transferred.
  }
  [port1, port2].forEach((port) => port.close());
  const received = [];
  client.on('data', (next) => received.push(next));
  accepted.end(Buffer.alloc(100_000, 'b'));
  await once(client, 'end');
  expect(Buffer.concat(received).equals(Buffer.alloc(100_000, 'b'))).toBe(true);
});

test('a chunk is a Buffer', async () => {
  for (const [chunk] of [await chunkOf(10), await chunkOf(65536)]) {
    expect(Buffer.isBuffer(chunk)).toBe(true);
    expect(Object.getPrototypeOf(chunk)).toBe(Buffer.prototype);
    expect(chunk.toString('hex')).toMatch(/^(01)+$/);
  }
});

test('bytes arrive whole and in order through a slow reader', async () => {
  const { client, accepted } = await connectedPair(net);
  const sent = Buffer.from(Array.from({ length: 3_000_000 }, (_, i) => (i * 7919) >>> 8));
  accepted.end(sent);
  const received = [];
  for await (const chunk of client) {
    received.push(chunk);
    await new Promise(setImmediate);
  }
  expect(Buffer.concat(received).equals(sent)).toBe(true);
});
