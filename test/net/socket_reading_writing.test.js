'use strict';

// Bytes through a connection: writes of every kind, cork, back-pressure, encodings,
// counters, the caller's own buffer.

const { once } = require('node:events');
const net = require('../../lib/net');
const { closing } = require('../helpers/closing');
const { closed, connectedPair, readAll } = require('../helpers/net_pair');
const { socketPath } = require('../helpers/socket_path');

describe('write', () => {
  const KINDS = {
    'a Buffer': [Buffer.from('häh'), undefined, 'häh'],
    'a Uint8Array': [new Uint8Array([104, 105]), undefined, 'hi'],
    'part of a larger ArrayBuffer': [Buffer.from('xhix').subarray(1, 3), undefined, 'hi'],
    'a string': ['häh', undefined, 'häh'],
    'a string outside the BMP': ['a😀b', 'utf8', 'a😀b'],
    'a lone surrogate': ['\ud800x', 'utf8', '\ufffdx'],
    'a latin1 string': ['h\u00e4', 'latin1', Buffer.from([104, 0xe4])],
    'a hex string': ['6869', 'hex', 'hi'],
    'a base64 string': ['aGk=', 'base64', 'hi'],
    'a base64url string': ['aGk', 'base64url', 'hi'],
    'a utf16le string': ['hi', 'utf16le', Buffer.from('h\0i\0')],
    'an ascii string': ['hi', 'ascii', 'hi'],
    'an empty string': ['', undefined, ''],
    'a string of 16 KiB less one': ['é'.repeat(8191) + 'x', 'utf8', 'é'.repeat(8191) + 'x'],
    'a string around 16 KiB': ['x' + 'é'.repeat(8192), 'utf8', 'x' + 'é'.repeat(8192)],
    'four-byte characters across 16 KiB': ['xy' + '😀'.repeat(4096), 'utf8', 'xy' + '😀'.repeat(4096)],
    'a string of some megabytes': ['😀é'.repeat(500_000), 'utf8', '😀é'.repeat(500_000)],
    'a large latin1 string': ['\u00ff'.repeat(100_000), 'latin1', Buffer.alloc(100_000, 0xff)],
  };

  test.each(Object.keys(KINDS))('of %s arrives as it was', async (kind) => {
    const [chunk, encoding, expected] = KINDS[kind];
    const { client, accepted } = await connectedPair(net);
    client.end(chunk, encoding);
    const received = await readAll(accepted, 'latin1');
    expect(received === Buffer.from(expected).toString('latin1')).toBe(true);
  });

  test('of a buffer that was transferred away writes nothing, and calls back', async () => {
    const { client, accepted } = await connectedPair(net);
    const buffer = Buffer.from(new ArrayBuffer(10));
    structuredClone(buffer.buffer, { transfer: [buffer.buffer] });
    await new Promise((resolve) => client.write(buffer, resolve));
    client.end('after');
    expect(await readAll(accepted)).toBe('after');
  });

  test('many of many sizes arrive whole and in order', async () => {
    const { client, accepted } = await connectedPair(net);
    const parts = Array.from({ length: 400 }, (_, i) =>
      String.fromCharCode(97 + (i % 26)).repeat(1 + ((i * 997) % 9000)),
    );
    parts.forEach((part, i) => client.write(i % 2 ? part : Buffer.from(part)));
    client.end();
    expect((await readAll(accepted)) === parts.join('')).toBe(true);
  });

  test('calls back once each, in order, after the bytes are on their way', async () => {
    const { client, accepted } = await connectedPair(net);
    accepted.resume();
    const order = [];
    for (const size of [1, 5_000_000, 2, 100])
      client.write(Buffer.alloc(size), (err) => order.push([size, err ?? null]));
    await once(client.end(), 'finish');
    expect(order).toEqual([[1, null], [5_000_000, null], [2, null], [100, null]]); // prettier-ignore
  });

  test('of a buffer that is changed after its callback is safe', async () => {
    const { client, accepted } = await connectedPair(net);
    const buffer = Buffer.alloc(3_000_000, 'a');
    client.write(buffer, () => {
      buffer.fill('b');
      client.end();
    });
    expect((await readAll(accepted)).includes('b')).toBe(false);
  });
});

test('what was corked leaves in one write', async () => {
  const { client, accepted } = await connectedPair(net);
  const chunks = [];
  accepted.on('data', (chunk) => chunks.push(String(chunk)));
  client.cork();
  client.write('one ');
  client.write(Buffer.from('two '));
  client.write('dGhyZWU=', 'base64');
  client.uncork();
  await once(client.end(), 'close');
  expect(chunks).toEqual(['one two three']);
});

describe('back-pressure', () => {
  test('write() says stop when the peer does not read, and drain says go on', async () => {
    const { client, accepted } = await connectedPair(net);
    accepted.pause();
    let sent = 0;
    while (client.write(Buffer.alloc(10_000))) sent += 10_000;
    expect(sent).toBeLessThan(2_000_000);
    expect([client.writableNeedDrain, client.writableLength > 0]).toEqual([true, true]);
    accepted.resume();
    await once(client, 'drain');
    expect(client.writableLength).toBe(0);
  });

  test('a paused reader lets the writer fill no more than the kernel holds', async () => {
    const { client, accepted } = await connectedPair(net);
    accepted.pause();
    client.write(Buffer.alloc(50_000_000));
    for (let turn = 0; turn < 50; turn++) await new Promise(setImmediate);
    expect(accepted.bytesRead).toBeLessThan(200_000);
    expect(accepted.readableLength).toBeLessThan(200_000);
  });

  test('a slow reader through pipe() bounds what is kept', async () => {
    const { client, accepted } = await connectedPair(net);
    const { Writable } = require('node:stream');
    let most = 0;
    const slow = new Writable({
      write(chunk, encoding, callback) {
        most = Math.max(most, accepted.readableLength);
        setImmediate(callback);
      },
    });
    accepted.pipe(slow);
    client.end(Buffer.alloc(5_000_000));
    await once(slow, 'finish');
    expect(most).toBeLessThanOrEqual(2 * 65536);
  });

  test.each([1, 1000, 1_000_000])('highWaterMark %i of a server holds for its sockets', async (highWaterMark) => {
    const { accepted } = await connectedPair(net, { server: { highWaterMark } });
    expect([accepted.readableHighWaterMark, accepted.writableHighWaterMark]).toEqual([highWaterMark, highWaterMark]);
  });
});

describe('reading', () => {
  test('setEncoding joins characters that were cut', async () => {
    const { client, accepted } = await connectedPair(net);
    client.setEncoding('utf8');
    const text = readText(client);
    for (const byte of Buffer.from('ä😀')) {
      accepted.write(Buffer.from([byte]));
      await new Promise(setImmediate);
    }
    accepted.end();
    expect(await text).toBe('ä😀');
  });

  async function readText(stream) {
    let text = '';
    for await (const part of stream) text += part;
    return text;
  }

  test('pause and resume lose nothing', async () => {
    const { client, accepted } = await connectedPair(net);
    accepted.end(Buffer.alloc(2_000_000, 'p'));
    let length = 0;
    client.on('data', (chunk) => {
      length += chunk.length;
      client.pause();
      setImmediate(() => client.resume());
    });
    await once(client, 'end');
    expect(length).toBe(2_000_000);
  });

  test("'readable' and read(n) give what is asked for", async () => {
    const { client, accepted } = await connectedPair(net);
    accepted.end('0123456789');
    await once(client, 'readable');
    const parts = [client.read(3), client.read(3), client.read(3)].map(String);
    expect(parts).toEqual(['012', '345', '678']);
    client.resume();
    await once(client, 'end');
  });

  test('unshift gives bytes back', async () => {
    const { client, accepted } = await connectedPair(net);
    accepted.end('header body');
    const [chunk] = await once(client, 'data');
    client.pause();
    client.unshift(chunk.subarray(7));
    expect(await readText(client)).toBe('body');
  });

  test("onread's buffer receives the bytes, and false stops the reading", async () => {
    const server = closing(net.createServer((socket) => socket.end('0123456789'.repeat(10))));
    await once(server.listen(socketPath()), 'listening');
    const buffer = Buffer.alloc(16);
    const seen = [];
    const client = closing(net.connect({ path: server.address(), onread: { buffer, callback } }));
    function callback(nread, given) {
      seen.push(given.toString('latin1', 0, nread));
      if (seen.length !== 2) return true;
      setImmediate(() => client.resume());
      return false;
    }
    await once(client, 'end');
    expect(seen.join('')).toBe('0123456789'.repeat(10));
    expect(Math.max(...seen.map((part) => part.length))).toBe(16);
  });

  test('onread may give another buffer each time', async () => {
    const server = closing(net.createServer((socket) => socket.end(Buffer.alloc(100_000, 'x'))));
    await once(server.listen(socketPath()), 'listening');
    const buffers = new Set();
    let length = 0;
    const onread = {
      buffer: () => Buffer.alloc(10_000),
      callback: (nread, buffer) => (buffers.add(buffer), (length += nread), true),
    };
    await once(closing(net.connect({ path: server.address(), onread })), 'end');
    expect([length, buffers.size >= 10]).toEqual([100_000, true]);
  });
});

describe('counters', () => {
  test('bytesRead and bytesWritten count bytes, also after the close', async () => {
    const { client, accepted } = await connectedPair(net);
    const ends = [closed(client), closed(accepted)];
    accepted.pipe(accepted);
    client.write('é');
    client.write(Buffer.alloc(1000));
    client.end('x'.repeat(200_000));
    client.resume();
    await Promise.all(ends);
    const expected = 2 + 1000 + 200_000;
    expect([client.bytesWritten, client.bytesRead, accepted.bytesRead, accepted.bytesWritten]).toEqual(
      Array(4).fill(expected),
    );
  });

  test('bytesWritten counts what still waits', async () => {
    const { client, accepted } = await connectedPair(net);
    accepted.pause();
    client.write(Buffer.alloc(5_000_000));
    client.write('é'.repeat(10));
    client.write('ff', 'hex');
    expect(client.bytesWritten).toBe(5_000_000 + 20 + 1);
  });
});

describe('setTimeout', () => {
  test("emits 'timeout' when nothing moves, and leaves the socket open", async () => {
    const { client } = await connectedPair(net);
    client.setTimeout(20);
    await once(client, 'timeout');
    expect([client.timeout, client.destroyed]).toEqual([20, false]);
  });

  test('starts anew with each byte', async () => {
    const { client, accepted } = await connectedPair(net);
    let timeouts = 0;
    client.setTimeout(60, () => timeouts++);
    for (let i = 0; i < 12; i++) {
      accepted.write('x');
      await once(client, 'data');
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    expect(timeouts).toBe(0);
  });

  test('0 switches it off', async () => {
    const { client } = await connectedPair(net);
    let timeouts = 0;
    client.setTimeout(5, () => timeouts++);
    client.setTimeout(0);
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect([timeouts, client.timeout]).toEqual([0, 0]);
  });

  test('as an option of connect() it is set', async () => {
    const { client } = await connectedPair(net, { client: { timeout: 15 } });
    await once(client, 'timeout');
  });
});
