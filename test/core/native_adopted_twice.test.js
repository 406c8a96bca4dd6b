'use strict';

// A descriptor that a handle of this thread has cannot be another handle's, too: when
// the one closes it, libuv aborts the process for the other (issue 9).

const { once } = require('node:events');
const nodeNet = require('node:net');
const { EEXIST } = require('node:os').constants.errno;
const { Listener, MessageSocket, PipeWrap, TcpWrap, closeFd, socketPair } = require('../../lib/base/binding');
const net = require('../../lib/net');
const { closing } = require('../helpers/closing');
const { socketPath } = require('../helpers/socket_path');

const STREAM = 1;

function owned(Class) {
  const handle = new Class();
  closing(() => handle.close());
  return handle;
}

function openPipe() {
  const [fd, other] = socketPair(STREAM);
  const pipe = owned(PipeWrap);
  expect(pipe.open(fd)).toBe(0);
  closing(() => closeFd(other));
  return { pipe, fd };
}

test.each([
  ['PipeWrap', (fd) => owned(PipeWrap).open(fd)],
  ['MessageSocket', (fd) => owned(MessageSocket).open(fd)],
  ['Listener', (fd) => owned(Listener).listenOnFd(fd, 1)],
])('a %s refuses the descriptor of an idle PipeWrap', (_, open) => {
  expect(open(openPipe().fd)).toBe(-EEXIST);
});

test('a TcpWrap refuses the descriptor of another', async () => {
  const server = closing(net.createServer().listen(0, '127.0.0.1'));
  await once(server, 'listening');
  const client = closing(net.connect(server.address()));
  await once(client, 'connect');
  expect(owned(TcpWrap).open(client._handle.fd)).toBe(-EEXIST);
});

test("the descriptor of a socket of Node's that has read nothing yet is refused", async () => {
  const server = closing(nodeNet.createServer({ pauseOnConnect: true }));
  server.listen(socketPath());
  closing(net.connect(server.address()));
  const [socket] = await once(server, 'connection');
  closing(socket);
  expect(() => new net.Socket({ fd: socket._handle.fd })).toThrow(expect.objectContaining({ code: 'EEXIST' }));
});

test("the descriptor of a server of Node's is refused", async () => {
  const server = closing(nodeNet.createServer().listen(socketPath()));
  await once(server, 'listening');
  const second = net.createServer().listen({ fd: server._handle.fd });
  expect(await once(second, 'error')).toMatchObject([{ code: 'EEXIST' }]);
});

test('once the handle is closed, its number is free for another', () => {
  const { pipe, fd } = openPipe();
  pipe.close();
  const [first, second] = socketPair(STREAM);
  expect([first, second]).toContain(fd);
  for (const number of [first, second]) expect(owned(PipeWrap).open(number)).toBe(0);
});

test('a failed open leaves the number with the caller', () => {
  const [first, second] = socketPair(STREAM);
  expect(owned(TcpWrap).open(first)).toBeLessThan(0);
  expect([closeFd(first), closeFd(second)]).toEqual([0, 0]);
});
