'use strict';

// The list of what happened in a turn, and the crossing that goes through it: rules
// 1 to 5 of the design.

const { AsyncLocalStorage } = require('node:async_hooks');
const { once } = require('node:events');
const fs = require('node:fs');
const { PipeWrap, TcpWrap } = require('../../lib/base/binding');
const net = require('../../lib/net');
const nodeNet = require('node:net');
const { closing } = require('../helpers/closing');
const { runFixture } = require('../helpers/child');
const { closed, connectedPair } = require('../helpers/net_pair');
const { socketPath } = require('../helpers/socket_path');

describe('what is noted outside the poll phase', () => {
  // Each would wait for the next event of the loop, or for ever, if only the check
  // phase delivered it. Nothing else goes on in these programs.
  const CASES = ['close', 'failed_connect', 'close_in_immediate', 'close_in_timer', 'refused_tcp', 'close_after_close'];

  test.each(CASES)('is delivered promptly: %s', async (name) => {
    const { code, stdout, stderr } = await runFixture('core/prompt_completion.js', [name]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toBe('delivered\n');
  });

  test('keeps the loop alive until then', async () => {
    const { code, stdout } = await runFixture('core/prompt_completion.js', ['failed_connect']);
    expect([code, stdout]).toEqual([0, 'delivered\n']);
  });

  test('a connect that failed is not told within the call', async () => {
    const pipe = new PipeWrap();
    let status;
    pipe.onconnect = (result) => (status = result);
    expect(pipe.connect(socketPath())).toBe(0);
    expect(status).toBeUndefined();
    await new Promise((resolve) => setImmediate(() => setImmediate(resolve)));
    expect(status).toBe(-2);
    pipe.close();
  });
});

describe('a crossing carries at most one event of a handle', () => {
  // Written and closed before the reader looks: libuv tells the bytes and the end in one
  // turn, since the hang-up comes with them.
  function writeAndClose(socket, text) {
    expect(socket._handle.writeUtf8String(text)).toBe(0);
    socket.destroy();
  }

  test('so that once(data) and then once(end) sees both', async () => {
    for (let round = 0; round < 50; round++) {
      const { client, accepted } = await connectedPair(net, { client: { allowHalfOpen: true } });
      writeAndClose(accepted, 'bye');
      const [chunk] = await once(client, 'data');
      await once(client, 'end');
      expect(String(chunk)).toBe('bye');
      client.destroy();
    }
  });

  test('so that ticks and promises run between data and end', async () => {
    const { client, accepted } = await connectedPair(net);
    const order = [];
    client.on('data', () => {
      order.push('data');
      process.nextTick(() => order.push('tick'));
      Promise.resolve().then(() => order.push('promise'));
    });
    client._handle.reader = new Proxy(client._handle.reader, {
      apply: (reader, self, [nread, chunk]) => {
        if (nread < 0) order.push('eof');
        return Reflect.apply(reader, self, [nread, chunk]);
      },
    });
    writeAndClose(accepted, 'x');
    await closed(client);
    expect(order).toEqual(['data', 'tick', 'promise', 'eof']);
  });

  test('so that connect is over before the first data', async () => {
    const server = closing(net.createServer((socket) => socket.end('hello')));
    await once(server.listen(socketPath()), 'listening');
    const client = closing(net.connect(server.address()));
    await once(client, 'connect');
    expect(String((await once(client, 'data'))[0])).toBe('hello');
    await once(client, 'end');
  });
});

describe('a handler that throws', () => {
  test.each(['an error', 'null', 'undefined', 'an object without a prototype'])(
    'reaches uncaughtException, and the rest of the list is delivered: %s',
    async (thrown) => {
      const { code, stdout, stderr } = await runFixture('core/throwing_handlers.js', [thrown]);
      expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
      // Ten sockets of one turn: the five that throw are caught, the others get theirs.
      expect(JSON.parse(stdout)).toEqual({ caught: 5, delivered: 5, closed: 20 });
    },
  );

  test('leaves an accepted connection open, whatever else was opened since', async () => {
    const { code, stdout, stderr } = await runFixture('core/adopt_and_throw.js');
    expect({ code, stdout, stderr }).toEqual({ code: 0, stdout: 'thrown\necho\n', stderr: '' });
  });

  test('ends the process as in Node when nobody catches it', async () => {
    const { code, stderr } = await runFixture('core/throwing_handlers.js', ['uncaught']);
    expect(code).toBe(1);
    expect(stderr).toMatch('Error: an error');
  });
});

describe('AsyncLocalStorage', () => {
  const storage = new AsyncLocalStorage();

  // Which context each thing runs in; the same program for Node's module and ours.
  async function contextsWith({ createServer, connect }) {
    const seen = {};
    const note = (what) => (seen[what] = storage.getStore());
    const server = storage.run('listen', () => closing(createServer()));
    await once(server.listen(socketPath()), 'listening');
    server.on('connection', () => note('connection'));
    const connection = once(server, 'connection');
    const client = storage.run('make', () => closing(new nodeOrOurs(connect).Socket()));
    for (const name of ['data', 'end', 'ready']) client.on(name, () => note(name));
    storage.run('connect', () => client.connect(server.address(), () => note('connect')));
    await once(client, 'connect');
    const [accepted] = await connection;
    closing(accepted);
    storage.run('write', () => client.write('x', () => note('written')));
    storage.run('large', () => client.write(Buffer.alloc(4_000_000), () => note('large written')));
    accepted.resume();
    storage.run('accepted write', () => accepted.end('y'));
    storage.run('end', () => client.end(() => note('finished')));
    client.on('finish', () => note('finish'));
    client.on('close', () => note('close'));
    await closed(client);
    return seen;
  }
  function nodeOrOurs(connect) {
    return connect === nodeNet.connect ? nodeNet : net;
  }

  test('holds the same contexts as with node:net', async () => {
    const expected = await contextsWith(nodeNet);
    expect(await contextsWith(net)).toEqual(expected);
    expect(expected).toMatchObject({ connect: 'connect', written: 'write', 'large written': 'large' });
  });
});

describe('closing', () => {
  test('within its own data handler ends the events of the handle', async () => {
    const { client, accepted } = await connectedPair(net);
    accepted.on('error', () => {});
    let count = 0;
    client.on('data', () => {
      count++;
      client.destroy();
      accepted.end('more');
    });
    accepted.write('x');
    await closed(client);
    expect(count).toBe(1);
  });

  test('of one socket in the handler of another stops its undelivered data', async () => {
    const pairs = await Promise.all([connectedPair(net), connectedPair(net)]);
    const seen = [];
    pairs.forEach(({ client }, i) =>
      client.on('data', () => {
        seen.push(i);
        pairs[1 - i].client.destroy();
      }),
    );
    for (const { accepted } of pairs) accepted._handle.writeUtf8String('x');
    await Promise.race(pairs.map(({ client }) => closed(client)));
    expect(seen).toHaveLength(1);
    pairs.forEach(({ client }) => client.destroy());
  });

  test('with a callback, twice within it', async () => {
    const pipe = new PipeWrap();
    pipe.connect(socketPath());
    const results = await new Promise((resolve) => pipe.close(() => resolve([pipe.close(), pipe.close()])));
    expect(results).toEqual([-9, -9]);
  });

  test('with a write under way tells the write ECANCELED, then the close', async () => {
    const { client, accepted } = await connectedPair(net);
    accepted.pause();
    const handle = client._handle;
    expect(handle.writeBuffer(Buffer.alloc(8_000_000))).toBe(1);
    const order = [];
    handle.onwrite = (status) => order.push(['write', status]);
    await new Promise((resolve) => handle.close(() => resolve(order.push(['close']))));
    expect(order).toEqual([['write', -125], ['close']]);
    client._handle = null;
  });

  test('with a connect under way tells no connection', async () => {
    const tcp = new TcpWrap();
    let status;
    tcp.onconnect = (result) => (status = result);
    expect(tcp.connect('127.0.0.1', 9)).toBe(0);
    await new Promise((resolve) => tcp.close(resolve));
    expect([undefined, -125]).toContain(status);
  });
});

describe('the order of events', () => {
  test('is that in which the kernel told them, over many handles', async () => {
    const pairs = await Promise.all(Array.from({ length: 40 }, () => connectedPair(net)));
    const received = pairs.map(() => '');
    pairs.forEach(({ client }, i) => client.setEncoding('latin1').on('data', (chunk) => (received[i] += chunk)));
    for (let n = 0; n < 100; n++) for (const { accepted } of pairs) accepted.write(String(n % 10));
    for (const { accepted } of pairs) accepted.end();
    await Promise.all(pairs.map(({ client }) => once(client, 'end')));
    expect(new Set(received)).toEqual(new Set(['0123456789'.repeat(10)]));
  });

  test('survives more events in a turn than one crossing carries', async () => {
    const { code, stdout } = await runFixture('core/many_events.js', [1500], { openFiles: 4096 });
    expect([code, stdout]).toEqual([0, '1500\n']);
  });
});

test('a paused socket is read at most once more', async () => {
  const { client, accepted } = await connectedPair(net);
  const chunks = [];
  client.on('data', (chunk) => {
    chunks.push(chunk.length);
    client.pause();
  });
  accepted.write(Buffer.alloc(4_000_000));
  await once(client, 'data');
  for (let turn = 0; turn < 20; turn++) await new Promise(setImmediate);
  expect(chunks).toHaveLength(1);
  expect(client.bytesRead).toBeLessThanOrEqual(2 * 65536);
  expect(client._handle.reading).toBe(false);
});

test('each copy of lib has a list of its own', async () => {
  jest.resetModules();
  const other = require('../../lib/net');
  expect(other.Socket).not.toBe(net.Socket);
  const server = closing(other.createServer((socket) => socket.pipe(socket)));
  await once(server.listen(socketPath()), 'listening');
  const client = closing(net.connect(server.address()));
  client.end('hello');
  expect(String((await once(client, 'data'))[0])).toBe('hello');
});

test('a handle that nobody holds stays until it is closed', async () => {
  const path = socketPath();
  (() => closing(net.createServer((socket) => socket.end('here'))).listen(path))();
  globalThis.gc?.();
  const client = closing(net.connect(path));
  expect(String((await once(client, 'data'))[0])).toBe('here');
  expect(fs.existsSync(path)).toBe(true);
});
