'use strict';

// Sockets and servers, by Unix names and over TCP.

const net = require('../../../lib/net');

function install(run) {
  run.kind('server', (server) => server.close());
  run.kind('socket', (socket) => socket.destroy());
}

function keepSocket(run, socket) {
  run.watch('socket', socket);
  run.add('socket', socket);
  const { values } = run;
  const reader = run.random(3);
  if (reader === 1) socket.on('data', () => run.throwSometimes(200));
  if (reader === 2) socket.resume();
  if (values.chance(2)) {
    socket.on('descriptors', (list) => {
      for (const descriptor of list) run.add('descriptor', descriptor);
      run.throwSometimes(100);
    });
  }
  if (values.chance(10)) socket.on('end', () => socket.destroy());
  if (values.chance(10)) socket.on('close', () => run.throwSometimes(10));
  return socket;
}

function onConnection(run, socket) {
  keepSocket(run, socket);
  if (run.values.chance(3)) socket.write(run.values.bytes());
  if (run.values.chance(8)) socket.destroy();
  if (run.values.chance(8)) socket.end('bye');
  run.throwSometimes(40);
}

const serverOptions = (run) => ({
  allowHalfOpen: run.values.flag(),
  descriptors: run.values.flag(),
  pauseOnConnect: run.values.flag(),
  ...(run.values.chance(8) ? { allowPeer: () => run.values.maybe(true) } : {}),
  ...(run.values.chance(8) ? { highWaterMark: run.values.maybe(1000) } : {}),
});

function listenOptions(run) {
  const { values } = run;
  return values.one([
    () => [run.name()],
    () => [0, '127.0.0.1'],
    () => [{ path: run.name(), replaceStale: true, mode: values.maybe(0o600) }],
    () => [{ path: run.name(), backlog: values.maybe(1), readableAll: values.flag() }],
    () => [{ port: values.maybe(0), host: values.maybe('127.0.0.1') }],
    () => [values.wrong()],
    () => [{ path: values.wrong() }],
    () => [run.pick('binding')],
  ])();
}

function connectOptions(run) {
  const { values } = run;
  const address = run.pick('server')?.address?.();
  const target = typeof address === 'string' ? { path: address } : { port: address?.port ?? 1, host: '127.0.0.1' };
  const signal = AbortSignal.timeout(values.random(50));
  return {
    ...(values.chance(5) ? { path: run.name() } : target),
    allowHalfOpen: values.flag(),
    descriptors: values.chance(3),
    ...(values.chance(8) ? { onread: { buffer: values.maybe(Buffer.alloc(1000)), callback: () => true } } : {}),
    ...(values.chance(8)
      ? { onread: { buffer: () => values.maybe(Buffer.alloc(1000)), callback: () => values.flag() } }
      : {}),
    ...(values.chance(10) ? { signal: values.maybe(signal) } : {}),
    ...(values.chance(10) ? { timeout: values.maybe(5) } : {}),
  };
}

// Each is called with a socket, open or not.
const ON_SOCKET = {
  write: (run, socket) => socket.write(run.values.maybe(run.values.bytes())),
  'write text': (run, socket) => socket.write(run.values.text(), run.values.one(['utf8', 'latin1', 'utf16le', 'hex'])),
  'write often': (run, socket) => {
    for (let i = 0; i < 20; i++) socket.write('x');
  },
  'write corked': (run, socket) => {
    socket.cork();
    for (const chunk of run.values.buffers()) socket.write(chunk);
    if (!run.values.chance(10)) socket.uncork();
  },
  end: (run, socket) => socket.end(),
  'end with': (run, socket) => socket.end(run.values.maybe('last'), () => run.throwSometimes(20)),
  destroy: (run, socket) => socket.destroy(),
  destroySoon: (run, socket) => socket.destroySoon(),
  resetAndDestroy: (run, socket) => socket.resetAndDestroy(),
  pause: (run, socket) => socket.pause(),
  resume: (run, socket) => socket.resume(),
  read: (run, socket) => socket.read(run.values.chance(3) ? 10 : undefined),
  ref: (run, socket) => socket.ref(),
  unref: (run, socket) => socket.unref(),
  setTimeout: (run, socket) => socket.setTimeout(run.values.maybe(run.random(20)), () => socket.destroy()),
  setNoDelay: (run, socket) => socket.setNoDelay(run.values.maybe(true)),
  setKeepAlive: (run, socket) => socket.setKeepAlive(run.values.maybe(true), run.values.maybe(1000)),
  setEncoding: (run, socket) => socket.setEncoding('utf8'),
  address: (run, socket) => [socket.address(), socket.remoteAddress, socket.bytesRead, socket.readyState],
  peerCredentials: (run, socket) => socket.peerCredentials(),
  connect: (run, socket) => socket.connect(run.values.maybe(connectOptions(run))),
  pipe: (run, socket) => socket.pipe(run.pick('socket')),
  unpipe: (run, socket) => socket.unpipe(),
  iterate: (run, socket) => run.settle('socket iterator', first(socket)),
  dispose: (run, socket) => run.settle('socket dispose', socket[Symbol.asyncDispose]?.()),
  sendDescriptors: (run, socket) => {
    const list = [run.pick('descriptor'), run.values.maybe(run.pick('socket'))];
    const payload = run.values.maybe(run.values.chance(2) ? 'payload' : run.values.bytes());
    socket.sendDescriptors(list, payload, { keep: run.values.flag() }, (error) => {
      if (error) run.checkError('sendDescriptors', error);
    });
  },
};

async function first(socket) {
  for await (const chunk of socket) return chunk;
  return null;
}

const OPERATIONS = {
  createServer(run) {
    const options = run.values.maybe(serverOptions(run));
    const server = run.watch('server', net.createServer(options));
    server.on('connection', (socket) => onConnection(run, socket));
    run.add('server', server).listen(...listenOptions(run));
  },
  'server.listen': (run) => run.pick('server')?.listen(...listenOptions(run)),
  'server.close': (run) => run.pick('server')?.close((error) => error && run.checkError('server.close', error)),
  'server.address': (run) => run.pick('server')?.address(),
  'server.getConnections': (run) => run.pick('server')?.getConnections(() => {}),
  'server.maxConnections': (run) => {
    const server = run.pick('server');
    if (server) server.maxConnections = run.values.one([undefined, 0, 1, 5]);
  },
  'server.unref': (run) => run.pick('server')?.unref(),
  'server.ref': (run) => run.pick('server')?.ref(),
  connect: (run) => keepSocket(run, net.connect(connectOptions(run))),
  'connect, then write': (run) => keepSocket(run, net.connect(connectOptions(run))).write(run.values.bytes()),
  'connect wrongly': (run) => keepSocket(run, net.connect(run.values.wrong())),
  'new Socket': (run) => keepSocket(run, new net.Socket(run.values.maybe({}))),
  'new Socket of a wrong fd': (run) => keepSocket(run, new net.Socket({ fd: run.values.wrong() })),
};
for (const [name, operation] of Object.entries(ON_SOCKET)) {
  OPERATIONS[`socket.${name}`] = (run) => {
    const socket = run.pick('socket');
    if (socket !== undefined) operation(run, socket);
  };
}

module.exports = { OPERATIONS, install, keepSocket };
