'use strict';

// Options, limits and stream features, as a user sees them.

const { once } = require('node:events');
const { expectParity } = require('../helpers/transcript');
const { SOCKET_EVENTS, closed } = require('../helpers/net_pair');
const { isNodeSince } = require('../helpers/node_version');

async function pairOf(net, { socketPath, closing }, { server: serverOptions = {}, client: clientOptions = {} } = {}) {
  const server = closing(net.createServer(serverOptions));
  await once(server.listen(socketPath()), 'listening');
  const connection = once(server, 'connection');
  const client = closing(net.connect({ path: socketPath(), ...clientOptions }));
  const [accepted] = await connection;
  if (client.connecting) await once(client, 'connect');
  return { server, client, accepted: closing(accepted) };
}

const SCENARIOS = {
  'a timeout, and a destroy in its handler': async (net, tools) => {
    const { client } = await pairOf(net, tools);
    tools.record(client, SOCKET_EVENTS, tools.log);
    client.setTimeout(10, () => client.destroy());
    tools.log('set', client.timeout);
    await closed(client);
  },
  'a socket destroyed that was never connected': async (net, { log, record, closing }) => {
    const socket = closing(new net.Socket());
    record(socket, SOCKET_EVENTS, log);
    const gone = closed(socket);
    socket.destroy();
    await gone;
  },
  'a signal aborted with a reason while open': async (net, tools) => {
    const controller = new AbortController();
    const { client } = await pairOf(net, tools, { client: { signal: controller.signal } });
    tools.record(client, SOCKET_EVENTS, tools.log);
    const gone = closed(client);
    controller.abort(new Error('reason'));
    await gone;
  },
  'a signal that closes a server': async (net, { log, record, socketPath, closing }) => {
    const controller = new AbortController();
    const server = closing(net.createServer());
    record(server, ['listening', 'close', 'error'], log);
    server.listen({ path: socketPath(), signal: controller.signal });
    await once(server, 'listening');
    controller.abort();
    await once(server, 'close');
    log('after', server.listening);
  },
  'maxConnections and drop': async (net, { lane, record, socketPath, closing }) => {
    const server = closing(net.createServer((socket) => closing(socket).resume()));
    server.maxConnections = 1;
    record(server, ['connection', 'drop', 'close'], lane('server'));
    await once(server.listen(socketPath()), 'listening');
    const first = closing(net.connect(socketPath()));
    await once(first, 'connect');
    const second = closing(net.connect(socketPath()));
    record(second, SOCKET_EVENTS, lane('second'));
    await closed(second.resume());
    first.destroy();
    await once(server.close(), 'close');
  },
  'the order of a server close and its last connection': async (net, tools) => {
    const { server, client, accepted } = await pairOf(net, tools);
    const log = tools.lane('server');
    server.on('close', () => log('server close'));
    accepted.on('close', () => log('socket close'));
    server.close((err) => log('callback', err));
    log('listening', server.listening);
    client.end();
    accepted.resume();
    await once(server, 'close');
    await closed(client.resume()).catch(() => {});
  },
  'corked writes and their callbacks': async (net, tools) => {
    const { client, accepted } = await pairOf(net, tools);
    tools.record(accepted.setEncoding('utf8'), ['data', 'end'], tools.lane('accepted'));
    const log = tools.lane('client');
    client.cork();
    const written = ['one', 'two', 'three'].map(
      (text) =>
        new Promise((resolve) =>
          log(
            'returned',
            client.write(text, () => (log(`${text} written`), resolve())),
          ),
        ),
    );
    log('length', client.writableLength, client.writableCorked);
    process.nextTick(() => client.uncork());
    await Promise.all(written);
    const ended = once(accepted, 'end');
    client.end();
    await ended;
  },
  'writes, callbacks, ticks and promises in their order': async (net, tools) => {
    const { client, accepted } = await pairOf(net, tools);
    accepted.resume();
    const log = tools.lane('client');
    client.write('one', () => log('one'));
    process.nextTick(() => log('tick'));
    Promise.resolve().then(() => log('promise'));
    client.write('two', () => log('two'));
    client.on('finish', () => log('finish'));
    await new Promise((resolve) => client.end('three', () => (log('end'), resolve())));
  },
  'back-pressure in numbers': async (net, tools) => {
    const { client, accepted } = await pairOf(net, tools);
    accepted.pause();
    const log = tools.lane('client');
    log('small', client.write('x'), client.writableNeedDrain, client.writableHighWaterMark);
    log('large', client.write(Buffer.alloc(20_000_000)), client.writableNeedDrain, client.writableLength);
    log('more', client.write('y'), client.writableLength, client.bytesWritten);
    client.on('drain', () => log('drain', client.writableLength, client.bytesWritten));
    accepted.resume();
    await once(client, 'drain');
  },
  setEncoding: async (net, tools) => {
    const { client, accepted } = await pairOf(net, tools);
    const log = tools.lane('accepted');
    accepted.setEncoding('hex');
    tools.record(accepted, ['data', 'end', 'close'], log);
    const gone = closed(accepted);
    client.end('hällo');
    await gone;
    log('encoding', accepted.readableEncoding, accepted.bytesRead);
  },
  'pause and resume, with their events': async (net, tools) => {
    const { client, accepted } = await pairOf(net, tools);
    const log = tools.lane('accepted');
    tools.record(accepted, ['pause', 'resume', 'data', 'end'], log);
    const ended = once(accepted, 'end');
    accepted.pause();
    log('paused', accepted.isPaused(), accepted.readableFlowing);
    client.end('waiting');
    await once(client, 'finish');
    accepted.resume();
    log('resumed', accepted.isPaused(), accepted.readableFlowing);
    await ended;
  },
  'readable and read()': async (net, tools) => {
    const { client, accepted } = await pairOf(net, tools);
    const log = tools.lane('accepted');
    client.end('0123456789');
    await once(accepted, 'readable');
    log('read', String(accepted.read(4)), String(accepted.read(6)), accepted.read(1));
    accepted.on('readable', () => accepted.read());
    await once(accepted, 'end');
    log('state', accepted.readableEnded, accepted.readable);
  },
  'a handler removed: data stops flowing only with pause': async (net, tools) => {
    const { client, accepted } = await pairOf(net, tools);
    const log = tools.lane('accepted');
    const listener = (chunk) => log('data', chunk);
    accepted.on('data', listener);
    client.write('one');
    await once(accepted, 'data');
    accepted.off('data', listener);
    log('flowing', accepted.readableFlowing, accepted.readableLength);
    client.end('lost');
    await once(accepted, 'end');
    log('read', accepted.bytesRead);
  },
  'async iteration that is left early': async (net, tools) => {
    const { client, accepted } = await pairOf(net, tools);
    tools.record(accepted, ['end', 'close', 'error'], tools.lane('accepted'));
    const gone = closed(accepted);
    client.write('x');
    for await (const chunk of accepted) if (tools.lane('accepted')('chunk', chunk) === undefined) break;
    await gone;
  },
  'pipe to another socket and unpipe': async (net, tools) => {
    const { client, accepted } = await pairOf(net, tools);
    const log = tools.lane('accepted');
    tools.record(accepted, ['pipe', 'unpipe', 'data', 'end', 'finish', 'close'], log);
    const gone = closed(accepted);
    client.pipe(accepted, { end: false });
    client.unpipe(accepted);
    client.end('z');
    await gone;
  },
  'a server that listens again after its close': async (net, { log, record, socketPath }) => {
    const server = net.createServer();
    record(server, ['listening', 'close'], log);
    for (const name of ['a', 'b', 'a']) {
      await once(server.listen(socketPath(name)), 'listening');
      log('address', server.address(), server.listening);
      await once(server.close(), 'close');
    }
  },
  'the forms of listen()': async (net, { log, socketPath }) => {
    const forms = [
      (name, done) => [name, done],
      (name, done) => [name, 10, done],
      (name, done) => [{ path: name }, done],
      (name, done) => [{ path: name, backlog: 3, exclusive: true }, done],
    ];
    for (const form of forms) {
      const server = net.createServer();
      await new Promise((resolve) => log('same', server.listen(...form(socketPath(), resolve)) === server));
      log('address', server.address());
      await once(server.close(), 'close');
    }
  },
  'the forms of connect()': async (net, tools) => {
    const { log, socketPath, closing } = tools;
    const { server } = await pairOf(net, tools);
    server.on('connection', (socket) => socket.end());
    for (const make of [net.connect, net.createConnection]) {
      for (const args of [[socketPath()], [{ path: socketPath() }]]) {
        await new Promise((resolve) => closing(make(...args, resolve)).resume());
        log('connected');
      }
    }
    const socket = closing(new net.Socket());
    log('same', socket.connect(socketPath()) === socket);
    await closed(socket.resume());
  },
  'getConnections and counts': async (net, tools) => {
    const { server, client, accepted } = await pairOf(net, tools);
    const count = () => new Promise((resolve) => server.getConnections((err, n) => resolve([err, n])));
    tools.log('open', await count());
    const gone = closed(accepted.resume());
    client.destroy();
    await gone;
    tools.log('gone', await count(), server._connections);
  },
  'a connection listener that throws away the socket': async (net, { lane, record, socketPath, closing }) => {
    const server = closing(net.createServer((socket) => socket.destroy()));
    await once(server.listen(socketPath()), 'listening');
    const client = closing(net.connect(socketPath()));
    record(client, [...SOCKET_EVENTS, 'data'], lane('client'));
    await closed(client.resume());
  },
  'TCP: half-close and names': async (net, { lane, record, closing }) => {
    const server = closing(net.createServer({ allowHalfOpen: true }, (socket) => socket.pipe(socket)));
    await once(server.listen(0, '127.0.0.1'), 'listening');
    const { port } = server.address();
    const client = closing(net.connect({ port, host: '127.0.0.1' }));
    const names = [...SOCKET_EVENTS, 'data', 'lookup', ...(isNodeSince(20, 12) ? ['connectionAttempt'] : [])];
    record(client, names, (event, ...values) =>
      lane('client')(event, ...values.map((value) => (value === port ? '<port>' : value))),
    );
    client.end('over tcp');
    await closed(client);
    lane('client')('after', client.localAddress, client.remoteAddress, client.remoteFamily, client.address());
  },
  'TCP: reset': async (net, { lane, record, closing }) => {
    const server = closing(net.createServer());
    await once(server.listen(0, '127.0.0.1'), 'listening');
    const connection = once(server, 'connection');
    const client = closing(net.connect(server.address().port, '127.0.0.1'));
    const [accepted] = await connection;
    record(accepted, SOCKET_EVENTS, lane('accepted'));
    record(client, SOCKET_EVENTS.slice(2), lane('client'));
    const gone = Promise.all([closed(accepted.resume()), closed(client)]);
    client.resetAndDestroy();
    await gone;
  },
};

test.each(Object.keys(SCENARIOS))('%s: as with node:net', async (name) => {
  await expectParity('net', SCENARIOS[name]);
});

test('what the module exports is what node:net exports', () => {
  const ours = Object.keys(require('../../lib/net'));
  const theirs = Object.keys(require('node:net')).filter((name) => !/^_/.test(name));
  expect(theirs.filter((name) => !ours.includes(name))).toEqual([]);
});

test.each(['Socket', 'Server'])('%s.prototype has every public property of Node', (name) => {
  const propertiesOf = (net) =>
    Object.getOwnPropertyNames(net[name].prototype).filter((property) => !/^_/.test(property));
  const ours = propertiesOf(require('../../lib/net'));
  expect(propertiesOf(require('node:net')).filter((property) => !ours.includes(property))).toEqual([]);
});
