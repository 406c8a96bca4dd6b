'use strict';

// Nothing that we open, accept or bind is handed to programs that the process starts.

const { once } = require('node:events');
const fs = require('node:fs');
const { PipeWrap, TcpWrap } = require('../../lib/base/binding');
const net = require('../../lib/net');
const { spawn } = require('node:child_process');
const { closing } = require('../helpers/closing');
const { connectedPair } = require('../helpers/net_pair');
const { socketPath } = require('../helpers/socket_path');

const O_CLOEXEC = 0o2000000;

function isCloseOnExec(fd) {
  const [, flags] = /^flags:\s*(\d+)$/m.exec(fs.readFileSync(`/proc/self/fdinfo/${fd}`, 'latin1'));
  return (parseInt(flags, 8) & O_CLOEXEC) !== 0;
}

async function tcpPair() {
  const server = closing(net.createServer());
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const connection = once(server, 'connection');
  const client = closing(net.connect(server.address().port, '127.0.0.1'));
  const [accepted] = await connection;
  return { server, client, accepted: closing(accepted) };
}

const PAIRS = {
  'a path': () => connectedPair(net),
  'an abstract name': () => connectedPair(net, { path: `\0pipewright-test-${process.pid}` }),
  'a long path': () => connectedPair(net, { path: socketPath('l'.repeat(200)) }),
  TCP: tcpPair,
};

test.each(Object.keys(PAIRS))('the three sockets of a connection over %s are close-on-exec', async (kind) => {
  const { server, client, accepted } = await PAIRS[kind]();
  expect([server, client, accepted].map(({ _handle }) => isCloseOnExec(_handle.fd))).toEqual([true, true, true]);
});

test('handles of the binding are close-on-exec', async () => {
  const { server } = await connectedPair(net);
  const pipe = new PipeWrap();
  const tcp = new TcpWrap();
  pipe.connect(server.address());
  tcp.bind('127.0.0.1', 0);
  expect([pipe, tcp].map(({ fd }) => isCloseOnExec(fd))).toEqual([true, true]);
  await Promise.all([pipe, tcp].map((handle) => new Promise((resolve) => handle.close(resolve))));
});

test('a child that Node starts meanwhile has none of them', async () => {
  await connectedPair(net);
  await PAIRS['a long path']();
  const child = spawn('ls', ['-l', '/proc/self/fd'], { stdio: ['ignore', 'pipe', 'ignore'] });
  let listing = '';
  child.stdout.on('data', (chunk) => (listing += chunk));
  await once(child, 'close');
  expect(listing.match(/socket:/g)).toHaveLength(1); // Its stdout.
});
