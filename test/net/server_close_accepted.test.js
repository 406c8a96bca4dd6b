'use strict';

// What a server has accepted is delivered, also when it is closed before it was told of it.

const { once } = require('node:events');
const net = require('../../lib/net');
const nodeNet = require('node:net');
const { createSocket } = require('../../lib/dgram');
const { Listener, PipeWrap } = require('../../lib/base/binding');
const { closing } = require('../helpers/closing');
const { socketPath } = require('../helpers/socket_path');

const COUNT = 20;

// As many clients as are connected by the time this resolves; nobody has accepted them yet.
async function crowd(path) {
  const clients = Array.from({ length: COUNT }, () => closing(nodeNet.connect(path)));
  return clients.map(async (client) => {
    let text = '';
    client.on('data', (chunk) => (text += chunk)).on('error', (error) => (text = error.code));
    await new Promise((resolve) => client.on('close', resolve));
    return text;
  });
}

test('connections accepted in the turn of close() are served, and "close" comes after them', async () => {
  const events = [];
  const path = socketPath();
  const server = closing(net.createServer());
  server.on('connection', (socket) => {
    events.push('connection');
    server.close();
    socket.end('served');
  });
  server.on('close', () => events.push('close'));
  await once(server.listen(path), 'listening');
  const answers = await Promise.all(await crowd(path));
  await new Promise(setImmediate);
  const served = answers.filter((answer) => answer === 'served').length;
  expect(answers.filter((answer) => answer === '')).toEqual([]); // None was accepted and closed.
  expect(events).toEqual([...Array(served).fill('connection'), 'close']);
  expect(served).toBeGreaterThan(1);
});

test('what nobody takes of a closed Listener is closed', async () => {
  const listener = new Listener();
  expect(listener.listenOnPath({ path: socketPath() })).toBe(0);
  const { fd } = listener;
  expect(fd).toBeGreaterThanOrEqual(0);
  const path = socketPath();
  const other = new Listener();
  closing(() => new Promise((resolve) => (listener.close(resolve) === 0 ? undefined : resolve())));
  expect(other.listenOnPath({ path })).toBe(0);
  let told = 0;
  const closed = new Promise((resolve) => {
    other.onconnection = (status, accepted) => {
      told += 1;
      if (told === 1) other.close(resolve);
      if (told > 1) expect(other.reject(accepted)).toBe(0);
      if (told > 1) return;
      const handle = new PipeWrap();
      expect(handle.open(accepted)).toBe(0);
      handle.close();
    };
  });
  await Promise.all(await crowd(path));
  await closed;
  expect(told).toBeGreaterThan(1);
});

test('a seqpacket socket delivers them, too', async () => {
  const path = socketPath();
  const server = createSocket('seqpacket').bind(path);
  await once(server, 'listening');
  const clients = Array.from({ length: COUNT }, () => createSocket('seqpacket').connect(path));
  const ends = clients.map((client) => {
    client.on('error', () => {});
    return new Promise((resolve) => client.on('close', resolve).on('message', (data) => resolve(String(data))));
  });
  let served = 0;
  server.on('connection', (peer) => {
    served += 1;
    server.close();
    peer.send('served', () => peer.close());
  });
  await Promise.all(ends);
  for (const client of clients) client.close();
  expect(served).toBeGreaterThan(1);
});
