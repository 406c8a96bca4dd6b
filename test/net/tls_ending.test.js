'use strict';

// How TLS ends over our sockets, on a server's side and on a client's: nothing of what is
// still to be written is lost, and both ends close without an error, as with node:net.

const { once } = require('node:events');
const http2 = require('node:http2');
const nodeNet = require('node:net');
const { pipeline, Transform } = require('node:stream');
const tls = require('node:tls');
const net = require('../../lib/net');
const { certificate, privateKey } = require('../helpers/certificate');
const { closing } = require('../helpers/closing');
const { readAll } = require('../helpers/net_pair');
const { socketPath } = require('../helpers/socket_path');

const identity = { key: privateKey, cert: certificate };
const trust = { ca: certificate, servername: 'localhost' };
const LARGE = Buffer.alloc(20_000_000, 'large ');

const ENDS = [
  ['ours at both ends', net, net],
  ["ours at the server's", net, nodeNet],
  ["ours at the client's", nodeNet, net],
  ['ours at neither', nodeNet, nodeNet],
];

// A TLS server whose connections are those of a server of `module`, over `target`.
async function serve(module, target, onSecure, options = {}) {
  const secureServer = tls.createServer(identity);
  const errors = [];
  secureServer.on('tlsClientError', (error) => errors.push(error));
  secureServer.on('secureConnection', (socket) => {
    socket.on('error', (error) => errors.push(error));
    onSecure(closing(socket));
  });
  const server = closing(module.createServer(options, (socket) => secureServer.emit('connection', closing(socket))));
  await once(server.listen(target), 'listening');
  const address = server.address();
  return { errors, target: address.port === undefined ? { path: address } : { port: address.port } };
}

async function secureClient(module, target) {
  const socket = closing(module.connect(target));
  const client = closing(tls.connect({ socket, ...trust }));
  await once(client, 'secureConnect');
  return client;
}

// Passes on one chunk in each turn of the loop.
const slowly = () => new Transform({ transform: (chunk, _, done) => setImmediate(done, null, chunk) });

const targets = () => [{ path: socketPath() }, { port: 0, host: '127.0.0.1' }];

describe.each(ENDS)('%s', (_, serverNet, clientNet) => {
  test('a client that has ended gets the whole answer', async () => {
    for (const target of targets()) {
      const { errors, target: at } = await serve(serverNet, target, (socket) => socket.pipe(socket));
      const client = await secureClient(clientNet, at);
      client.end(LARGE);
      const answer = await readAll(client, 'latin1');
      expect(answer.length).toBe(LARGE.length);
      expect(errors).toEqual([]);
    }
  });

  test('also where it comes slowly, from a half-open server', async () => {
    const onSecure = (socket) => pipeline(socket, slowly(), socket, () => {});
    const { errors, target } = await serve(serverNet, { path: socketPath() }, onSecure, { allowHalfOpen: true });
    const client = await secureClient(clientNet, target);
    client.end(LARGE.subarray(0, 2_000_000));
    expect((await readAll(client, 'latin1')).length).toBe(2_000_000);
    expect(errors).toEqual([]);
  });

  test('a server that has ended gets all that its client still writes', async () => {
    let received;
    const { errors, target } = await serve(serverNet, { path: socketPath() }, (socket) => {
      received = readAll(socket, 'latin1');
      socket.end('enough');
    });
    const client = await secureClient(clientNet, target);
    client.resume().write(LARGE);
    await once(client, 'close');
    expect((await received).length).toBe(LARGE.length);
    expect(errors).toEqual([]);
  });

  test.each(['end', 'destroy'])('both ends close without an error after %s()', async (method) => {
    const events = [];
    let accepted;
    const { errors, target } = await serve(serverNet, { path: socketPath() }, (socket) => {
      accepted = socket.resume();
      socket.on('close', (hadError) => events.push(['server', hadError]));
    });
    const client = await secureClient(clientNet, target);
    client.on('close', (hadError) => events.push(['client', hadError]));
    await once(client, 'session');
    const bothClosed = [once(client, 'close'), once(accepted, 'close')];
    client.resume()[method]();
    await Promise.all(bothClosed);
    expect(events.sort()).toEqual([['client', false], ['server', false]]); // prettier-ignore
    expect(errors).toEqual([]);
  });
});

test('http2 over a socket closes with its peer', async () => {
  const server = http2.createServer((req, res) => res.end('hello'));
  const front = closing(net.createServer((socket) => server.emit('connection', closing(socket))));
  await once(front.listen(socketPath()), 'listening');
  const session = http2.connect('http://localhost', { createConnection: () => closing(net.connect(front.address())) });
  expect(await readAll(session.request({ ':path': '/' }))).toBe('hello');
  const isClosed = once(session, 'close');
  session.close();
  await isClosed;
});

test('a socket that nothing of Node wraps ends itself, whatever listens to its end', async () => {
  const server = closing(net.createServer((socket) => socket.resume().once('end', () => {})));
  await once(server.listen(socketPath()), 'listening');
  const client = closing(net.connect(server.address()));
  client.resume().end();
  await once(client, 'close');
});
