'use strict';

// What a server is set to, and what cannot be: no connection is lost by it.

const { execFileSync } = require('node:child_process');
const { once } = require('node:events');
const nodeNet = require('node:net');
const net = require('../../lib/net');
const { closing } = require('../helpers/closing');
const { socketPath } = require('../helpers/socket_path');

async function listen(server, ...target) {
  closing(server);
  await once(server.listen(...target), 'listening');
  return server;
}

// A client, to whom no byte comes.
async function knock(address) {
  const client = closing(nodeNet.connect(address));
  client.on('error', () => {});
  await once(client.resume(), 'close');
}

test.each([Infinity, NaN, 1.5])('createServer refuses a highWaterMark of %p, as a stream would', (highWaterMark) => {
  expect(() => net.createServer({ highWaterMark })).toThrow(
    expect.objectContaining({ code: 'ERR_INVALID_ARG_VALUE', name: 'TypeError' }),
  );
});

test.each([0, 1, 2 ** 31, -1, -Infinity])('createServer takes a highWaterMark of %p', async (highWaterMark) => {
  const server = await listen(net.createServer({ highWaterMark }), socketPath());
  const client = closing(nodeNet.connect(server.address()));
  const [socket] = await once(server, 'connection');
  expect(closing(socket).readableHighWaterMark).toBe(server.highWaterMark);
  client.destroy();
});

test.each([
  ['highWaterMark', Infinity, 'ERR_INVALID_ARG_VALUE'],
  ['highWaterMark', 'x', 'ERR_INVALID_ARG_VALUE'],
  ['highWaterMark', Symbol('s'), 'ERR_INVALID_ARG_VALUE'],
  ['maxConnections', Symbol('s'), undefined],
])('a connection that %s = %p keeps from being served is closed, and told by an error', async (name, value, code) => {
  const server = await listen(net.createServer(), socketPath());
  const good = server[name];
  server[name] = value;
  const failed = once(server, 'error');
  await knock(server.address());
  const [error] = await failed;
  expect([error.name, error.code]).toEqual(['TypeError', code]);
  expect(server._connections).toBe(0);

  server[name] = good;
  const client = closing(nodeNet.connect(server.address()));
  closing((await once(server, 'connection'))[0]);
  client.destroy();
});

test('a TCP connection whose keep-alive delay is no number is closed, and told by an error', async () => {
  const server = await listen(net.createServer({ keepAlive: true }), 0, '127.0.0.1');
  server.keepAliveInitialDelay = Symbol('s');
  const failed = once(server, 'error');
  await knock(server.address().port);
  expect((await failed)[0].name).toBe('TypeError');
  expect(server._connections).toBe(0);
});

// While this thread waits for the program, the connection is made and reset.
test('a blockList is not asked about a client that has reset its connection before it was accepted', async () => {
  const check = jest.fn(() => false);
  const server = await listen(net.createServer({ blockList: { check } }), 0, '127.0.0.1');
  const program = `const s = net.connect(${server.address().port}, '127.0.0.1', () => s.resetAndDestroy())`;
  const accepted = once(server, 'connection');
  execFileSync(process.execPath, ['-e', program]);
  const [socket] = await accepted;
  closing(socket.on('error', () => {}));
  expect(check).not.toHaveBeenCalled();
});
