'use strict';

// The type of service of TCP sockets, over IPv4 and IPv6.

const { once } = require('node:events');
const net = require('../../lib/net');
const { closing } = require('../helpers/closing');
const { socketPath } = require('../helpers/socket_path');

async function connected(...where) {
  const server = closing(net.createServer((socket) => closing(socket).resume()));
  await once(server.listen(...where), 'listening');
  return server;
}

describe.each(['127.0.0.1', '::1'])('issue 9: over %s', (host) => {
  test('is set once connected', async () => {
    const { port } = (await connected(0, host)).address();
    const socket = closing(net.connect({ port, host, typeOfService: 8 }));
    await once(socket, 'connect');
    expect(socket._handle.getTypeOfService()).toBe(8);
    expect(socket.getTypeOfService()).toBe(8);
    expect(socket.setTypeOfService(32)).toBe(socket);
    expect(socket._handle.getTypeOfService()).toBe(32);
  });

  test('may be set before connect()', async () => {
    const { port } = (await connected(0, host)).address();
    const socket = closing(new net.Socket());
    expect(socket.getTypeOfService()).toBe(0);
    expect(socket.setTypeOfService(16).getTypeOfService()).toBe(16);
    socket.connect(port, host);
    await once(socket, 'connect');
    expect(socket._handle.getTypeOfService()).toBe(16);
  });
});

test('issue 9: is remembered, without effect, over a path', async () => {
  const server = await connected(socketPath());
  const socket = closing(net.connect(server.address()));
  await once(socket, 'connect');
  expect(socket.getTypeOfService()).toBe(0);
  expect(socket.setTypeOfService(4).getTypeOfService()).toBe(4);
});

test.each([
  [NaN, 'ERR_INVALID_ARG_TYPE', 'The "tos" argument must be of type number. Received type number (NaN)'],
  ['x', 'ERR_INVALID_ARG_TYPE', `The "tos" argument must be of type number. Received type string ('x')`],
  [1.5, 'ERR_OUT_OF_RANGE', 'The value of "tos" is out of range. It must be an integer. Received 1.5'],
  [256, 'ERR_OUT_OF_RANGE', 'The value of "tos" is out of range. It must be >= 0 && <= 255. Received 256'],
  [undefined, 'ERR_INVALID_ARG_TYPE', 'The "tos" argument must be of type number. Received undefined'],
])('issue 9: setTypeOfService(%p) is refused', (value, code, message) => {
  const socket = closing(new net.Socket());
  expect(() => socket.setTypeOfService(value)).toThrow(expect.objectContaining({ code, message }));
});

test('issue 9: so is a wrong option typeOfService', () => {
  expect(() => new net.Socket({ typeOfService: 300 })).toThrow(expect.objectContaining({ code: 'ERR_OUT_OF_RANGE' }));
});
