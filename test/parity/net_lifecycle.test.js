'use strict';

// The life of a connection over a path: which events, in which order, with what.

const { once } = require('node:events');
const { expectParity } = require('../helpers/transcript');
const { SOCKET_EVENTS, closed } = require('../helpers/net_pair');

// The pair with every event of both ends written down, 'data' included unless `data`
// is false.
async function recordedPair(net, tools, { server: serverOptions, client: clientOptions, data = true } = {}) {
  const { lane, record, socketPath, closing } = tools;
  const path = socketPath();
  const names = data ? [...SOCKET_EVENTS, 'data'] : SOCKET_EVENTS;
  const server = closing(net.createServer(serverOptions ?? {}));
  record(server, ['listening', 'close', 'error'], lane('server'));
  await once(server.listen(path), 'listening');
  const connection = once(server, 'connection');
  const client = closing(net.connect({ path, ...clientOptions }));
  record(client, names, lane('client'));
  await once(client, 'connect');
  const [accepted] = await connection;
  closing(accepted);
  record(accepted, names, lane('accepted'));
  return { server, client, accepted, bothClosed: Promise.all([closed(client), closed(accepted)]) };
}

const SCENARIOS = {
  'client ends': async (net, tools) => {
    const { client, bothClosed } = await recordedPair(net, tools);
    client.end('bye');
    await bothClosed;
  },
  'server ends': async (net, tools) => {
    const { accepted, bothClosed } = await recordedPair(net, tools);
    accepted.end('bye');
    await bothClosed;
  },
  'an echo and the end': async (net, tools) => {
    const { client, accepted, bothClosed } = await recordedPair(net, tools);
    accepted.pipe(accepted);
    client.write('one');
    client.write(Buffer.from('two'));
    client.end('three');
    await bothClosed;
  },
  'client destroyed': async (net, tools) => {
    const { client, bothClosed } = await recordedPair(net, tools);
    client.destroy();
    await bothClosed;
  },
  'client destroyed with an error': async (net, tools) => {
    const { client, bothClosed } = await recordedPair(net, tools);
    client.destroy(new Error('enough'));
    await bothClosed;
  },
  'destroyed twice': async (net, tools) => {
    const { client, bothClosed } = await recordedPair(net, tools);
    client.destroy();
    client.destroy(new Error('late'));
    await bothClosed;
  },
  'destroySoon with bytes on their way': async (net, tools) => {
    const { client, bothClosed } = await recordedPair(net, tools);
    client.write('x'.repeat(300_000));
    client.destroySoon();
    await bothClosed;
  },
  'half-closed by the client with allowHalfOpen at the server': async (net, tools) => {
    const { client, accepted, bothClosed } = await recordedPair(net, tools, { server: { allowHalfOpen: true } });
    accepted.on('end', () => setImmediate(() => accepted.end('still here')));
    client.end('question');
    await bothClosed;
  },
  'half-closed by the server with allowHalfOpen at the client': async (net, tools) => {
    const { client, accepted, bothClosed } = await recordedPair(net, tools, { client: { allowHalfOpen: true } });
    client.on('end', () => setImmediate(() => client.end('still here')));
    accepted.end('hello');
    await bothClosed;
  },
  'write after end': async (net, tools) => {
    const { client, bothClosed } = await recordedPair(net, tools);
    client.end('x');
    client.write('y', (err) => tools.lane('client')('written', err));
    await bothClosed;
  },
  'write after destroy': async (net, tools) => {
    const { client, bothClosed } = await recordedPair(net, tools);
    client.destroy();
    tools.lane('client')(
      'returned',
      client.write('y', (err) => tools.lane('client')('written', err)),
    );
    await bothClosed;
  },
  'write after the peer has ended': async (net, tools) => {
    const { client, accepted, bothClosed } = await recordedPair(net, tools);
    accepted.end();
    await once(client, 'end');
    tools.lane('client')(
      'returned',
      client.write('y', (err) => tools.lane('client')('written', err)),
    );
    await bothClosed;
  },
  'write to a peer that has gone': async (net, tools) => {
    const { client, accepted, bothClosed } = await recordedPair(net, tools, { client: { allowHalfOpen: true } });
    accepted.destroy();
    await once(client, 'end');
    client.write('y', (err) => tools.lane('client')('written', err));
    await bothClosed;
  },
  'ended twice, with callbacks': async (net, tools) => {
    const { client, bothClosed } = await recordedPair(net, tools);
    client.end('x', (err) => tools.lane('client')('first', err));
    client.end((err) => tools.lane('client')('second', err));
    await bothClosed;
  },
  'the peer goes with bytes unread': async (net, tools) => {
    const { client, accepted, bothClosed } = await recordedPair(net, tools, { data: false });
    accepted.pause();
    client.write('never read');
    await once(client.end(), 'finish');
    accepted.destroy();
    await bothClosed;
  },
  'ended before it was connected': async (net, { lane, record, socketPath, closing }) => {
    const server = closing(net.createServer((socket) => record(socket, ['data', 'end', 'close'], lane('accepted'))));
    await once(server.listen(socketPath()), 'listening');
    const client = closing(net.connect(socketPath()));
    record(client, [...SOCKET_EVENTS, 'data'], lane('client'));
    client.end('early', () => lane('client')('end callback'));
    await closed(client);
  },
  'written before it was connected': async (net, { lane, record, socketPath, closing }) => {
    const server = closing(net.createServer((socket) => socket.pipe(socket)));
    await once(server.listen(socketPath()), 'listening');
    const client = closing(net.connect(socketPath(), () => lane('client')('connect callback', client.bytesWritten)));
    record(client, [...SOCKET_EVENTS, 'data'], lane('client'));
    lane('client')(
      'returned',
      client.write('one', () => lane('client')('one written')),
    );
    lane('client')(
      'returned',
      client.write('two', () => lane('client')('two written')),
    );
    lane('client')('pending', client.bytesWritten, client.pending, client.readyState, client.writableLength);
    client.end();
    await closed(client);
    lane('client')('after', client.bytesWritten, client.bytesRead);
  },
  'destroyed before it was connected': async (net, { lane, record, socketPath, closing }) => {
    const server = closing(net.createServer((socket) => socket.on('error', () => {}).resume()));
    await once(server.listen(socketPath()), 'listening');
    const client = closing(net.connect(socketPath()));
    record(client, SOCKET_EVENTS, lane('client'));
    client.write('x', (err) => lane('client')('written', err));
    client.destroy();
    await closed(client);
  },
  'destroyed in its connect handler': async (net, { lane, record, socketPath, closing }) => {
    const server = closing(net.createServer((socket) => socket.on('error', () => {}).resume()));
    await once(server.listen(socketPath()), 'listening');
    const client = closing(net.connect(socketPath()));
    record(client, SOCKET_EVENTS, lane('client'));
    client.once('connect', () => client.destroy());
    await closed(client);
  },
  'destroyed in its data handler': async (net, tools) => {
    const { client, accepted, bothClosed } = await recordedPair(net, tools);
    client.on('data', () => client.destroy());
    accepted.write('x');
    accepted.end();
    await bothClosed;
  },
  'destroyed in its end handler': async (net, tools) => {
    const { client, accepted, bothClosed } = await recordedPair(net, tools);
    client.on('end', () => client.destroy());
    accepted.end();
    await bothClosed;
  },
  'connected again after it was closed': async (net, { lane, record, socketPath, closing }) => {
    const server = closing(net.createServer((socket) => socket.end('hello')));
    await once(server.listen(socketPath()), 'listening');
    const client = closing(net.connect(socketPath()));
    record(client, [...SOCKET_EVENTS, 'data'], lane('client'));
    await closed(client);
    lane('client')('state', client.destroyed, client.readyState, client.pending);
    client.connect(socketPath());
    await closed(client);
  },
  'paused by pauseOnConnect': async (net, { lane, record, socketPath, closing }) => {
    const server = closing(net.createServer({ pauseOnConnect: true }));
    await once(server.listen(socketPath()), 'listening');
    const connection = once(server, 'connection');
    const client = closing(net.connect(socketPath()));
    const finished = once(client.end('waiting'), 'finish');
    const [accepted] = await connection;
    record(accepted, ['end', 'close', 'pause', 'resume'], lane('accepted'));
    lane('accepted')('state', accepted.isPaused(), accepted.readableFlowing, accepted.bytesRead);
    accepted.on('data', (chunk) => lane('accepted')('data', chunk));
    await finished;
    accepted.resume();
    await closed(accepted);
  },
  'what is known in each state': async (net, tools) => {
    const { lane, socketPath, closing } = tools;
    const server = closing(net.createServer((socket) => socket.end('hello')));
    await once(server.listen(socketPath()), 'listening');
    const client = closing(new net.Socket());
    const state = (when) =>
      lane('client')(when, {
        ...{ connecting: client.connecting, pending: client.pending, destroyed: client.destroyed },
        ...{ readyState: client.readyState, bytesRead: client.bytesRead, bytesWritten: client.bytesWritten },
        ...{ readable: client.readable, writable: client.writable, address: client.address() },
        ...{ localAddress: client.localAddress, remoteAddress: client.remoteAddress, timeout: client.timeout },
        ...{ bufferSize: client.bufferSize, writableLength: client.writableLength, closed: client.closed },
      });
    state('new');
    client.connect(socketPath());
    state('connecting');
    for (const event of ['connect', 'ready', 'data', 'end', 'close']) client.on(event, () => state(event));
    await closed(client);
  },
};

test.each(Object.keys(SCENARIOS))('%s: the same events as node:net', async (name) => {
  await expectParity('net', SCENARIOS[name]);
});
