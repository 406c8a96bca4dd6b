'use strict';

// pump(): all bytes of a socket to another.

const { randomBytes } = require('node:crypto');
const { once } = require('node:events');
const net = require('../../lib/net');
const { spawn } = require('../../lib/child_process');
const { closing } = require('../helpers/closing');
const { closed, connectedPair } = require('../helpers/net_pair');
const { until } = require('../helpers/until');

const LARGE = randomBytes(5_000_000);
const LOCAL = '127.0.0.1';

/** Two connections: what is written to `source` is to be pumped from `from` to `to`, and comes out of `sink`. */
async function twoConnections(pair = connectedPair) {
  const [first, second] = [await pair(net), await pair(net)];
  return { source: first.client, from: first.accepted, to: second.accepted, sink: second.client };
}

async function tcpPair() {
  const server = closing(net.createServer({ allowHalfOpen: true }));
  await once(server.listen(0, LOCAL), 'listening');
  const connection = once(server, 'connection');
  const client = closing(net.connect({ port: server.address().port, host: LOCAL, allowHalfOpen: true }));
  const [accepted] = await connection;
  return { client, accepted: closing(accepted) };
}

async function bytesOf(stream) {
  const chunks = [];
  for await (const chunk of stream) chunks.push(chunk);
  return Buffer.concat(chunks);
}

test.each([
  ['a path', undefined],
  ['TCP', tcpPair],
])('carries all bytes, and then the end, over %s', async (_, pair) => {
  const { source, from, to, sink } = await twoConnections(pair);
  const pumped = net.pump(from, to);
  source.end(LARGE);
  expect((await bytesOf(sink)).equals(LARGE)).toBe(true);
  expect(await pumped).toBe(LARGE.length);
});

test('carries them back to where they come from', async () => {
  const { client, accepted } = await connectedPair(net, { server: { allowHalfOpen: true } });
  const pumped = net.pump(accepted, accepted);
  client.end(LARGE);
  expect((await bytesOf(client)).equals(LARGE)).toBe(true);
  expect(await pumped).toBe(LARGE.length);
});

test('begins with what was read before, also in a handler of data', async () => {
  const { source, from, to, sink } = await twoConnections();
  source.write('head');
  await once(from, 'readable');
  from.unshift('un');
  let pumped;
  from.once('data', (head) => {
    from.unshift(head);
    pumped = net.pump(from, to);
  });
  source.end(LARGE);
  const bytes = await bytesOf(sink);
  expect(bytes.subarray(0, 6).toString()).toBe('unhead');
  expect(bytes.subarray(6).equals(LARGE)).toBe(true);
  expect(await pumped).toBe(6 + LARGE.length);
});

test('what was read before stays in front, also if the second socket takes nothing', async () => {
  const { source, from, to, sink } = await twoConnections();
  source.write('head');
  await once(from, 'readable');
  to.write(LARGE); // More than the kernel takes.
  from.unshift('un');
  net.pump(from, to);
  expect(from._handle.reading).toBe(false);
  source.end('tail');
  const bytes = await bytesOf(sink);
  expect(bytes.subarray(LARGE.length).toString()).toBe('unheadtail');
});

test('a proxy may read the head itself, while more is coming', async () => {
  const { source, from, to, sink } = await twoConnections();
  let head = 0;
  from.once('data', (chunk) => {
    head = chunk.length;
    net.pump(from, to);
  });
  source.end(LARGE);
  const bytes = await bytesOf(sink);
  expect(bytes.equals(LARGE.subarray(head))).toBe(true);
});

test('two pumps of a turn do not mix their bytes', async () => {
  const all = await Promise.all([twoConnections(), twoConnections()]);
  for (const { from, to } of all) net.pump(from, to);
  const texts = ['a', 'b'].map((letter) => Buffer.from(letter.repeat(200_000)));
  all.forEach(({ source }, index) => source.end(texts[index]));
  const received = await Promise.all(all.map(({ sink }) => bytesOf(sink)));
  received.forEach((bytes, index) => expect(bytes.equals(texts[index])).toBe(true));
});

test('does not read while nobody takes the bytes, and goes on', async () => {
  const { source, from, to, sink } = await twoConnections();
  const pumped = net.pump(from, to);
  source.end(Buffer.concat(Array(10).fill(LARGE)));
  await until(() => to.writableLength > 0);
  const read = from.bytesRead;
  await new Promise(setImmediate);
  expect(from.bytesRead).toBe(read);
  expect(read).toBeLessThan(LARGE.length);
  expect((await bytesOf(sink)).length).toBe(10 * LARGE.length);
  expect(await pumped).toBe(10 * LARGE.length);
});

test('bytes for a socket that is closed go to no other, though its listeners were removed', async () => {
  const { source, from, to } = await twoConnections();
  net.pump(from, to).catch(() => {});
  to.removeAllListeners();
  to.destroy();
  await once(to, 'close');
  const { accepted, client } = await connectedPair(net); // Their handles get the number of the closed one.
  source.end(LARGE);
  await until(() => from.destroyed || from.bytesRead > 0);
  accepted.end('own');
  expect((await bytesOf(client)).toString()).toBe('own');
});

test('their timeouts count from the last byte', async () => {
  const { source, from, to, sink } = await twoConnections();
  const timedOut = jest.fn();
  jest.useFakeTimers({ doNotFake: ['nextTick', 'queueMicrotask', 'setImmediate'] });
  try {
    for (const socket of [from, to]) socket.setTimeout(1000, timedOut);
    const pumped = net.pump(from, to);
    for (let i = 0; i < 3; i++) {
      source.write('x');
      await once(sink, 'data');
      jest.advanceTimersByTime(900);
    }
    expect(timedOut).not.toHaveBeenCalled();
    jest.advanceTimersByTime(100);
    expect(timedOut).toHaveBeenCalledTimes(2);
    source.end();
    expect(await pumped).toBe(3);
  } finally {
    jest.useRealTimers();
  }
});

test('waits for a connection', async () => {
  const { server, client, accepted } = await connectedPair(net);
  const connection = once(server, 'connection');
  const late = closing(net.connect(server.address()));
  const pumped = net.pump(late, client);
  const [theirs] = await connection;
  theirs.end('hello');
  expect((await bytesOf(accepted)).toString()).toBe('hello');
  expect(await pumped).toBe(5);
});

test('with end: false the second socket stays open', async () => {
  const { source, from, to, sink } = await twoConnections();
  source.end('one ');
  expect(await net.pump(from, to, { end: false })).toBe(4);
  to.end('two');
  expect((await bytesOf(sink)).toString()).toBe('one two');
});

test('carries the output of a child', async () => {
  const { client, accepted } = await connectedPair(net);
  const child = closing(spawn('head', ['-c', '3000000', '/dev/zero'], { stdio: ['ignore', 'pipe', 'inherit'] }));
  const pumped = net.pump(child.stdout, accepted);
  expect((await bytesOf(client)).length).toBe(3_000_000);
  expect(await pumped).toBe(3_000_000);
});

describe('fails, and destroys both sockets, if', () => {
  /** @returns {Promise<any>} the error of a pump, of which act(sockets) makes an end */
  async function failure(act, options = {}) {
    const sockets = await twoConnections();
    const { source, from, to, sink } = sockets;
    for (const each of [source, sink.resume()]) each.on('error', () => {});
    const closes = [closed(from), closed(to)];
    const failed = net.pump(from, to, options).catch((error) => error);
    source.write(LARGE);
    act(sockets);
    await Promise.all(closes);
    return failed;
  }

  test('nobody receives any more', async () => {
    const error = await failure(({ sink }) => sink.destroy());
    expect(error).toMatchObject({ code: 'EPIPE', syscall: 'write' });
  });

  test('the sender resets the connection', async () => {
    const { source, from, to, sink } = await twoConnections(tcpPair);
    const closes = [closed(from), closed(to)];
    const failed = net.pump(from, to).catch((error) => error);
    source.write('x');
    await once(sink, 'data');
    source.resetAndDestroy();
    expect(await failed).toMatchObject({ code: 'ECONNRESET', syscall: 'read' });
    await Promise.all(closes);
  });

  test('the first is destroyed', async () => {
    const error = await failure(({ from }) => from.destroy());
    expect(error).toMatchObject({ code: 'ERR_STREAM_PREMATURE_CLOSE' });
  });

  test('somebody else ends the second', async () => {
    const error = await failure(({ to }) => to.end());
    expect(error).toMatchObject({ code: 'ERR_SOCKET_CLOSED' });
  });

  test('its signal is aborted', async () => {
    const controller = new AbortController();
    const error = await failure(() => controller.abort(), { signal: controller.signal });
    expect(error).toMatchObject({ name: 'AbortError' });
  });
});

describe('refuses', () => {
  test.each([
    [undefined, 'ERR_INVALID_ARG_TYPE'],
    [process.stdout, 'ERR_INVALID_ARG_TYPE'],
    [closing(new net.Socket()).setEncoding('utf8'), 'ERR_INVALID_ARG_VALUE'],
    [closing(new net.Socket({ descriptors: true })), 'ERR_INVALID_ARG_VALUE'],
    [closing(new net.Socket({ onread: { buffer: Buffer.alloc(9), callback() {} } })), 'ERR_INVALID_ARG_VALUE'],
  ])('a source, case %#', (from, code) => {
    expect(() => net.pump(from, closing(new net.Socket()))).toThrow(expect.objectContaining({ code }));
  });

  test.each([
    [{ end: 1 }, 'ERR_INVALID_ARG_TYPE'],
    [{ signal: {} }, 'ERR_INVALID_ARG_TYPE'],
    [null, 'ERR_INVALID_ARG_TYPE'],
  ])('options %p', (options, code) => {
    const sockets = [closing(new net.Socket()), closing(new net.Socket())];
    expect(() => net.pump(...sockets, options)).toThrow(expect.objectContaining({ code }));
  });
});
