'use strict';

// What goes wrong: thrown or emitted, with which properties, and what comes after.

const { once } = require('node:events');
const fs = require('node:fs');
const path = require('node:path');
const { expectParity } = require('../helpers/transcript');
const { SOCKET_EVENTS, closed } = require('../helpers/net_pair');
const { isNodeSince } = require('../helpers/node_version');

// What the call throws, or that it returned.
function attempt(log, call) {
  try {
    call();
    log('returned');
  } catch (err) {
    log('threw', err);
  }
}

// Until 'error' or 'listening', and a turn more.
async function outcome(emitter, good) {
  await new Promise((resolve) => emitter.once('error', resolve).once(good, resolve));
  await new Promise(setImmediate);
}

describe('connect: the same as node:net', () => {
  const PLACES = {
    'nothing there': (folder) => path.join(folder, 'none'),
    'a missing folder': (folder) => path.join(folder, 'no/where'),
    'a file that is no socket': (folder) => {
      fs.writeFileSync(path.join(folder, 'plain'), '');
      return path.join(folder, 'plain');
    },
    'a folder': (folder) => folder,
    'below a file': (folder) => {
      fs.writeFileSync(path.join(folder, 'plain'), '');
      return path.join(folder, 'plain/s');
    },
    // Before Node 20.12 neither answer nor error ever comes there.
    ...(isNodeSince(20, 12) && { 'an abstract name nobody has': () => '\0pipewright-test-nobody' }),
  };

  test.each(Object.keys(PLACES))('to %s', async (name) => {
    await expectParity('net', async (net, { log, record, socketPath, closing }) => {
      const folder = path.dirname(socketPath());
      const socket = closing(net.connect(PLACES[name](folder)));
      record(socket, SOCKET_EVENTS, log);
      log('before', socket.connecting, socket.pending, socket.readyState);
      await closed(socket);
      log('after', socket.connecting, socket.pending, socket.destroyed, socket.readyState);
    });
  });

  test('to nothing, with a write and an end waiting', async () => {
    await expectParity('net', async (net, { log, record, socketPath, closing }) => {
      const socket = closing(net.connect(socketPath()));
      record(socket, SOCKET_EVENTS, log);
      socket.write('x', (err) => log('written', err));
      socket.end((err) => log('end', err));
      await closed(socket);
    });
  });

  test('to nothing, then again to a server, from its close handler', async () => {
    await expectParity('net', async (net, { log, record, socketPath, closing }) => {
      const server = closing(net.createServer((socket) => socket.end('hello')));
      const socket = closing(net.connect(socketPath('none')));
      record(socket, [...SOCKET_EVENTS, 'data'], log);
      await closed(socket);
      await once(server.listen(socketPath()), 'listening');
      socket.connect({ path: socketPath() });
      await closed(socket);
    });
  });

  const WRONG = [
    [[]],
    [[{}]],
    [[undefined]],
    [[null]],
    [[{ path: 1 }]],
    [[{ path: {} }]],
    [[{ path: '' }]],
    [[{ path: true }]],
    [[{ path: null }]],
    [[{ port: -1 }]],
    [[{ port: 65536 }]],
    [[{ port: 'x' }]],
    [[{ port: NaN }]],
    [[{ port: {} }]],
    [[{ port: null }]],
    [[{ port: 1, lookup: 1 }]],
    [[{ port: 1, localAddress: 'x' }]],
    [[{ port: 1, localPort: 'x' }]],
    [[{ path: 'x', signal: 1 }]],
    [[{ path: 'x', timeout: 'x' }]],
    [[{ path: 'x', timeout: -1 }]],
    [[{ path: 'x', objectMode: true }]],
  ];
  test.each(WRONG)('with the arguments %j', async (args) => {
    await expectParity('net', async (net, { log }) => {
      attempt(log, () => net.connect(...args).on('error', (err) => log('error', err.code)).destroy()); // prettier-ignore
    });
  });
});

describe('listen: the same as node:net', () => {
  const PLACES = {
    'a missing folder': (folder) => path.join(folder, 'no/where'),
    'a plain file': (folder) => {
      fs.writeFileSync(path.join(folder, 'plain'), '');
      return path.join(folder, 'plain');
    },
    'a folder': (folder) => folder,
    'below a plain file': (folder) => {
      fs.writeFileSync(path.join(folder, 'plain'), '');
      return path.join(folder, 'plain/s');
    },
    'a symbolic link to nothing': (folder) => {
      fs.symlinkSync(path.join(folder, 'target'), path.join(folder, 'link'));
      return path.join(folder, 'link');
    },
    'a path that can be had': (folder) => path.join(folder, 's'),
  };

  test.each(Object.keys(PLACES))('on %s', async (name) => {
    await expectParity('net', async (net, { log, record, socketPath, closing }) => {
      const folder = path.dirname(socketPath());
      const server = closing(net.createServer());
      record(server, ['listening', 'error', 'close'], log);
      server.listen(PLACES[name](folder));
      await outcome(server, 'listening');
      log('after', server.listening);
    });
  });

  test('on the path of a live server, then again when that has closed', async () => {
    await expectParity('net', async (net, { log, record, socketPath, closing }) => {
      const first = closing(net.createServer());
      await once(first.listen(socketPath()), 'listening');
      const second = closing(net.createServer());
      record(second, ['listening', 'error', 'close'], log);
      second.listen(socketPath());
      await outcome(second, 'listening');
      await once(first.close(), 'close');
      second.listen(socketPath());
      await outcome(second, 'listening');
      log('after', second.listening, second.address());
    });
  });

  test('twice', async () => {
    await expectParity('net', async (net, { log, socketPath, closing }) => {
      const server = closing(net.createServer());
      await once(server.listen(socketPath()), 'listening');
      attempt(log, () => server.listen(socketPath('other')));
    });
  });

  const WRONG = [
    [['']],
    [[null]],
    [[true]],
    [[{}]],
    [[{ path: '' }]],
    [[{ path: 1 }]],
    [[{ path: null }]],
    [[{ path: Buffer.from('/x') }]],
    [[{ path: new URL('file:///x') }]],
    [[{ port: -1 }]],
    [[{ port: 65536 }]],
    [[{ port: 'abc' }]],
    [[{ port: true }]],
    [[{ port: NaN }]],
    [[{ fd: -1 }]],
    [[{ fd: '3' }]],
    [[{ path: '/x', signal: {} }]],
    [[{ path: '/x', signal: 'x' }]],
    [[-1]],
    [[1.5]],
    [[Symbol.iterator]],
  ];
  test.each(WRONG)('with the arguments %p', async (args) => {
    await expectParity('net', async (net, { log, closing }) => {
      const server = closing(net.createServer());
      server.on('error', (err) => log('error', err.code));
      attempt(log, () => server.listen(...args));
    });
  });

  test.each([{ fd: 0 }, { fd: 9999 }])('on the descriptor %p, which is none to listen on', async (options) => {
    await expectParity('net', async (net, { log, record, closing }) => {
      const server = closing(net.createServer());
      record(server, ['listening', 'error'], log);
      server.listen(options);
      await outcome(server, 'listening');
    });
  });
});

describe('constructors: the same as node:net', () => {
  const SOCKETS = [
    null,
    'x',
    {},
    { fd: -1 },
    { fd: 'x' },
    { fd: null },
    { fd: NaN },
    { fd: 2 ** 31 },
    { fd: 1.5 },
    { fd: 9999 },
    { objectMode: true },
    { readableObjectMode: true },
    { signal: 1 },
    { signal: null },
    { onread: 1 },
    { onread: {} },
    { onread: { buffer: 1, callback() {} } },
    { keepAliveInitialDelay: 'x' },
    { highWaterMark: -1 },
    { highWaterMark: 'x' },
  ];
  test.each(SOCKETS.map((options) => [options]))('Socket(%p)', async (options) => {
    await expectParity('net', async (net, { log }) => {
      attempt(log, () => new net.Socket(options).on('error', () => {}).destroy());
    });
  });

  const SERVERS = [null, undefined, 1, 'x', true, {}, { highWaterMark: 'x' }, { highWaterMark: -1 }, { keepAliveInitialDelay: 'x' }]; // prettier-ignore
  test.each(SERVERS.map((options) => [options]))('Server(%p)', async (options) => {
    await expectParity('net', async (net, { log }) => attempt(log, () => net.createServer(options)));
  });

  test('may be called without new', async () => {
    await expectParity('net', async (net, { log }) => {
      log('socket', net.Socket() instanceof net.Socket, net.Stream === net.Socket);
      log('server', net.Server() instanceof net.Server);
    });
  });
});

describe('methods: the same as node:net', () => {
  const CALLS = {
    'write(null)': (socket) => socket.write(null),
    'write(undefined)': (socket) => socket.write(),
    'write(1)': (socket) => socket.write(1),
    'write({})': (socket) => socket.write({}),
    'write([])': (socket) => socket.write([]),
    'write with an unknown encoding': (socket) => socket.write('x', 'no-such'),
    'write with an encoding that is no string': (socket) => socket.write('x', 1),
    'write with a callback that is none': (socket) => socket.write('x', 'utf8', 1),
    'write of a DataView': (socket) => socket.write(new DataView(new ArrayBuffer(4))),
    'write of a Uint16Array': (socket) => socket.write(new Uint16Array(4)),
    'end(1)': (socket) => socket.end(1),
    'setTimeout("x")': (socket) => socket.setTimeout('x'),
    'setTimeout(-1)': (socket) => socket.setTimeout(-1),
    'setTimeout(NaN)': (socket) => socket.setTimeout(NaN),
    'setTimeout(Infinity)': (socket) => socket.setTimeout(Infinity),
    'setTimeout(1, 1)': (socket) => socket.setTimeout(1, 1),
    'setEncoding("no-such")': (socket) => socket.setEncoding('no-such'),
    'resetAndDestroy()': (socket) => socket.resetAndDestroy(),
    'setNoDelay({})': (socket) => socket.setNoDelay({}),
    'setKeepAlive("x", "y")': (socket) => socket.setKeepAlive('x', 'y'),
    'connect() while connected': (socket) => socket.connect({ path: 1 }),
  };
  test.each(Object.keys(CALLS))('%s', async (name) => {
    await expectParity('net', async (net, { log, socketPath, closing }) => {
      const server = closing(net.createServer((socket) => socket.on('error', () => {}).resume()));
      await once(server.listen(socketPath()), 'listening');
      const socket = closing(net.connect(socketPath()));
      await once(socket, 'connect');
      socket.on('error', (err) => log('error', err));
      attempt(log, () => CALLS[name](socket));
      await new Promise(setImmediate);
      log('after', socket.destroyed, socket.writable, socket.timeout);
    });
  });

  test('close of a server that does not listen', async () => {
    await expectParity('net', async (net, { log, record }) => {
      const server = net.createServer();
      record(server, ['close', 'error'], log);
      server.close((err) => log('callback', err));
      server.close();
      await new Promise(setImmediate);
    });
  });

  test('close twice, with callbacks', async () => {
    await expectParity('net', async (net, { log, record, socketPath, closing }) => {
      const server = closing(net.createServer());
      record(server, ['close', 'error'], log);
      await once(server.listen(socketPath()), 'listening');
      server.close((err) => log('first', err));
      server.close((err) => log('second', err));
      log('now', server.listening);
      await once(server, 'close');
      await new Promise(setImmediate);
    });
  });

  test('close of a server in its listening handler and before it', async () => {
    await expectParity('net', async (net, { log, record, socketPath }) => {
      const server = net.createServer();
      record(server, ['listening', 'close', 'error'], log);
      server.listen(socketPath());
      await once(server.close(), 'close');
      server.listen(socketPath(), () => server.close());
      await once(server, 'close');
      log('file', fs.existsSync(socketPath()));
    });
  });
});
