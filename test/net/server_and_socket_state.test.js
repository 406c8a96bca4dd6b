'use strict';

// Smaller promises of servers and sockets: counts, limits, signals, disposal, TCP.

const { once } = require('node:events');
const { promisify } = require('node:util');
const net = require('../../lib/net');
const { closing } = require('../helpers/closing');
const { runFixture } = require('../helpers/child');
const { closed, connectedPair, readAll } = require('../helpers/net_pair');
const { socketPath } = require('../helpers/socket_path');

async function listen(server, options = socketPath()) {
  closing(server);
  await once(server.listen(options), 'listening');
  return server;
}
const countOf = (server) => promisify(server.getConnections.bind(server))();

test('getConnections counts what is open', async () => {
  const { server, client, accepted } = await connectedPair(net);
  expect(await countOf(server)).toBe(1);
  const gone = closed(accepted.resume());
  client.destroy();
  await gone;
  expect(await countOf(server)).toBe(0);
});

test("maxConnections refuses more clients, with 'drop'", async () => {
  const server = await listen(net.createServer((socket) => socket.resume()));
  server.maxConnections = 1;
  const first = closing(net.connect(server.address()));
  await once(server, 'connection');
  const dropped = once(server, 'drop');
  const second = closing(net.connect(server.address()));
  await Promise.all([dropped, closed(second.resume())]);
  expect([first.destroyed, await countOf(server)]).toEqual([false, 1]);
});

test("a 'drop' over TCP says who was refused", async () => {
  const server = await listen(net.createServer(), { port: 0, host: '127.0.0.1' });
  server.maxConnections = 1;
  closing(net.connect(server.address().port));
  await once(server, 'connection').then(([socket]) => closing(socket));
  const second = closing(net.connect(server.address().port, '127.0.0.1').on('error', () => {}));
  const [data] = await once(server, 'drop');
  expect(data).toMatchObject({ localPort: server.address().port, remoteAddress: '127.0.0.1', remoteFamily: 'IPv4' });
  await closed(second.resume());
});

describe('AbortSignal', () => {
  test('aborted before, a socket is destroyed with an AbortError', async () => {
    const { server } = await connectedPair(net);
    const socket = net.connect({ path: server.address(), signal: AbortSignal.abort() });
    expect(await closed(socket)).toMatchObject({ name: 'AbortError', code: 'ABORT_ERR' });
  });

  test('aborted later, an open socket is destroyed with an AbortError', async () => {
    const controller = new AbortController();
    const { client } = await connectedPair(net, { client: { signal: controller.signal } });
    const outcome = closed(client);
    controller.abort(new Error('because'));
    expect(await outcome).toMatchObject({ name: 'AbortError', cause: new Error('because') });
  });

  test.each([
    ['timeout', { timeout: 'x' }],
    ['path', { path: 7 }],
    ['port', { port: -1 }],
  ])('a connect() that throws for its %s leaves nothing that could be aborted', async (_, wrong) => {
    const controller = new AbortController();
    const destroy = jest.spyOn(net.Socket.prototype, '_destroy');
    const options = { path: '/nonexistent', signal: controller.signal, ...wrong };
    if ('port' in wrong) delete options.path;
    expect(() => net.connect(options)).toThrow();
    await new Promise(setImmediate);
    controller.abort();
    await new Promise(setImmediate);
    const errors = destroy.mock.calls.map(([error]) => error);
    destroy.mockRestore();
    expect(errors).toEqual([null]);
  });

  test('aborted, a server is closed and its file is gone', async () => {
    const controller = new AbortController();
    const server = net.createServer();
    await once(server.listen({ path: socketPath(), signal: controller.signal }), 'listening');
    const gone = once(server, 'close');
    controller.abort();
    await gone;
    expect(server.listening).toBe(false);
  });
});

test('Symbol.asyncDispose closes a server', async () => {
  const server = net.createServer();
  await once(server.listen(socketPath()), 'listening');
  await server[Symbol.asyncDispose ?? Symbol.for('nodejs.asyncDispose')]();
  expect(server.listening).toBe(false);
});

test('captureRejections destroys the socket of a handler that rejects', async () => {
  const server = await listen(net.createServer({ captureRejections: true }));
  let error;
  server.on('connection', async (socket) => {
    socket.on('error', (err) => (error = err));
    throw new Error('in the handler');
  });
  const client = closing(net.connect(server.address()));
  await closed(client.resume());
  expect(error).toEqual(new Error('in the handler'));
});

describe('ref and unref', () => {
  test.each([
    ['server', 'unref', 'exits'],
    ['server', 'ref', 'stays'],
    ['server_before_listen', 'unref', 'exits'],
    ['client', 'unref', 'exits'],
    ['client', 'ref', 'stays'],
    ['client_before_connect', 'unref', 'exits'],
    ['both_refd_again', 'ref', 'stays'],
  ])('%s %s: the program %s', async (what, method, expected) => {
    const { stdout, code } = await runFixture('net/ref_or_unref.js', [what, method]);
    expect([stdout.trim(), code]).toEqual([expected, 0]);
  });
});

describe('a socket that was never connected', () => {
  test('has ended once end() is called', async () => {
    const socket = closing(new net.Socket());
    const events = [];
    socket.on('finish', () => events.push('finish'));
    await promisify(socket.end.bind(socket))();
    await new Promise(setImmediate);
    expect([events, socket.writableFinished, socket.destroyed]).toEqual([['finish'], true, false]);
  });

  test('closes after destroySoon()', async () => {
    const socket = closing(new net.Socket());
    const isClosed = closed(socket);
    socket.destroySoon();
    expect(await isClosed).toBeUndefined();
  });
});

describe('TCP', () => {
  const FAMILIES = [['127.0.0.1', 'IPv4'], ['::1', 'IPv6']]; // prettier-ignore

  test.each(FAMILIES)('on %s has addresses of %s', async (host, family) => {
    const server = await listen(
      net.createServer((socket) => socket.pipe(socket)),
      { port: 0, host },
    );
    const { port } = server.address();
    expect(server.address()).toEqual({ address: host, family, port });
    const client = closing(net.connect({ port, host, noDelay: true, keepAlive: true }));
    await once(client, 'connect');
    expect([client.remoteAddress, client.remotePort, client.remoteFamily, client.localAddress]).toEqual([
      host,
      port,
      family,
      host,
    ]);
    client.end('over tcp');
    expect(await readAll(client)).toBe('over tcp');
  });

  test('localhost is looked up, and each address tried', async () => {
    const server = await listen(
      net.createServer((socket) => socket.end('hi')),
      { port: 0, host: '127.0.0.1' },
    );
    const client = closing(net.connect({ port: server.address().port, host: 'localhost' }));
    const lookups = [];
    client.on('lookup', (err, address) => lookups.push(address));
    expect(await readAll(client)).toBe('hi');
    expect(lookups).toContain('127.0.0.1');
  });

  test('a refused port is ECONNREFUSED with address and port', async () => {
    const server = await listen(net.createServer(), { port: 0, host: '127.0.0.1' });
    const { port } = server.address();
    await once(server.close(), 'close');
    const [err] = await once(net.connect(port, '127.0.0.1'), 'error');
    expect(err).toMatchObject({ code: 'ECONNREFUSED', syscall: 'connect', address: '127.0.0.1', port });
  });

  test('resetAndDestroy while connecting over TCP closes the Unix socket that it became meanwhile', async () => {
    const [tcp, unix] = [closing(net.createServer()), closing(net.createServer())];
    await Promise.all([once(tcp.listen(0, '127.0.0.1'), 'listening'), once(unix.listen(socketPath()), 'listening')]);
    const socket = closing(new net.Socket());
    socket.connect(tcp.address().port, '127.0.0.1').resetAndDestroy().destroy();
    await once(socket, 'close');
    await once(socket.connect(unix.address()), 'close');
  });

  test('resetAndDestroy is ECONNRESET at the other end', async () => {
    const server = await listen(net.createServer(), { port: 0, host: '127.0.0.1' });
    const connection = once(server, 'connection');
    const client = closing(net.connect(server.address().port, '127.0.0.1'));
    const [accepted] = await connection;
    const outcome = closed(accepted.resume());
    client.resetAndDestroy();
    expect(await outcome).toMatchObject({ code: 'ECONNRESET' });
  });

  test('two servers on one port: the second is EADDRINUSE with address and port', async () => {
    const first = await listen(net.createServer(), { port: 0, host: '127.0.0.1' });
    const second = net.createServer();
    const { port } = first.address();
    const failed = once(second, 'error');
    second.listen(port, '127.0.0.1');
    expect((await failed)[0]).toMatchObject({ code: 'EADDRINUSE', address: '127.0.0.1', port });
  });
});

test('an error in the listener for connection leaves the next ones served', async () => {
  const { stdout } = await runFixture('net/throwing_listener.js', []);
  expect(stdout).toBe('caught caught caught served 3\n');
});

test('a thousand connections one after the other leave nothing', async () => {
  let accepted;
  const server = await listen(
    net.createServer((socket) => {
      accepted = closed(socket.resume().end('x'));
    }),
  );
  for (let i = 0; i < 1000; i++) {
    const client = net.connect(server.address());
    await closed(client.resume());
  }
  await accepted; // The server hears of the client's end in the next turn, as in Node.
  expect(await countOf(server)).toBe(0);
});
