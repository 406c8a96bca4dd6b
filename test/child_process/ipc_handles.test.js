'use strict';

// Handles between us and children that have only Node, in both directions.

const dgram = require('node:dgram');
const { once } = require('node:events');
const fs = require('node:fs');
const nodeNet = require('node:net');
const path = require('node:path');

const { fork } = require('../../lib/child_process');
const { Descriptor, socketpair } = require('../../lib/descriptors');
const net = require('../../lib/net');
const { runFixture } = require('../helpers/child');
const { closing } = require('../helpers/closing');
const { textOf } = require('../helpers/children');
const { PLAIN_NODES } = require('../helpers/plain_nodes');
const { socketPath, temporaryFolder } = require('../helpers/socket_path');

const CHILD = path.join(__dirname, '../fixtures/child_process/ipc_handles.js');

const start = (options) => closing(fork(CHILD, options));

/** Resolves once the callback of send() has come. */
const delivered = (child, message, handle, options) =>
  new Promise((resolve, reject) => {
    child.send(message, handle, options, (error) => (error === null ? resolve() : reject(error)));
  });

const reply = async (child) => (await once(child, 'message'))[0];

async function listening(module, target = { port: 0, host: '127.0.0.1' }) {
  const server = closing(module.createServer({ pauseOnConnect: true }));
  await once(server.listen(target), 'listening');
  return server;
}

/** A client of the server, and the server's end of that connection. */
async function connected(server) {
  const accepted = once(server, 'connection');
  const address = server.address();
  const client = closing(nodeNet.connect(typeof address === 'string' ? address : address.port));
  return [client, (await accepted)[0]];
}

const connections = (server) =>
  new Promise((resolve, reject) => {
    server.getConnections((error, count) => (error ? reject(error) : resolve(count)));
  });

const MODULES = [
  ['ours', net],
  ["Node's", nodeNet],
];

describe.each(PLAIN_NODES)('a child with Node %s', (_, execPath) => {
  describe.each(['json', 'advanced'])('and %s', (serialization) => {
    const options = { execPath, serialization };

    test.each(MODULES)('gets a connection (%s), which is no longer ours', async (_name, module) => {
      const child = start(options);
      const server = await listening(module);
      const [client, socket] = await connected(server);
      await delivered(child, { word: 'from the child' }, socket);
      expect(await textOf(client)).toBe('from the child');
      expect(socket._handle).toBe(null);
      expect(await reply(child)).toEqual({ got: 'Socket' });
    });

    test.each(MODULES)('gets a server (%s), which we have too', async (_name, module) => {
      const child = start(options);
      const server = await listening(module);
      await delivered(child, { word: 'accepted in the child' }, server);
      const { port } = server.address();
      server.close(); // Else the connection might be accepted here.
      expect(await textOf(closing(nodeNet.connect(port)))).toBe('accepted in the child');
    });

    test('gets a UDP socket', async () => {
      const child = start(options);
      const [given, asked] = ['udp4', 'udp4'].map((type) => closing(dgram.createSocket(type)).bind(0, '127.0.0.1'));
      await Promise.all([once(given, 'listening'), once(asked, 'listening')]);
      const came = once(asked, 'message');
      await delivered(child, { word: 'over UDP', port: asked.address().port }, given);
      expect(String((await came)[0])).toBe('over UDP');
    });

    test('gives a connection, a server, a UDP socket and a bare handle', async () => {
      const child = start(options);
      const server = await listening(net);
      const { port } = server.address();
      for (const [give, Class] of Object.entries({
        socket: 'Socket',
        server: 'Server',
        udp: 'Socket',
        native: 'TcpWrap',
      })) {
        child.send({ give, port });
        const [message, handle] = await once(child, 'message');
        expect([message, handle.constructor.name]).toEqual([{ given: give }, Class]);
        closing(give === 'native' ? () => handle.close() : handle);
        expect(await reply(child)).toEqual({ called: give });
        if (give !== 'server') continue;
        handle.on('connection', (socket) => socket.end('accepted here'));
        const text = await textOf(closing(nodeNet.connect(handle.address().port)));
        expect(text).toMatch(/^accepted (here|elsewhere)$/); // Both listen.
      }
    });
  });

  test.each(MODULES)('has its connections counted and waited for (%s)', async (_name, module) => {
    const child = start({ execPath });
    const server = await listening(module);
    const pairs = [await connected(server), await connected(server), await connected(server)];
    await Promise.all(pairs.slice(1).map(([, socket]) => delivered(child, { hold: true }, socket)));
    expect(await connections(server)).toBe(3);
    pairs[1][0].destroy();
    while ((await connections(server)) > 2) await new Promise(setImmediate);

    const closed = once(server, 'close');
    server.close();
    pairs[0][1].destroy();
    pairs[2][0].end();
    await closed;
  });

  test('counts and closes its connections that it has sent to us', async () => {
    const child = start({ execPath });
    child.send({ give: 'server' });
    const [, handle] = await once(child, 'message');
    closing(handle);
    expect(handle.listening).toBe(true);
  });
});

test.each(MODULES)('keepOpen: the connection (%s) is of both', async (_name, module) => {
  const child = start();
  const server = await listening(module);
  const [client, socket] = await connected(server);
  await delivered(child, { word: 'one and ' }, socket, { keepOpen: true });
  await reply(child);
  expect(socket.destroyed).toBe(false);
  socket.destroy();
  expect(await textOf(client)).toBe('one and ');
});

test('connections over Unix sockets, and pairs of them as Descriptors', async () => {
  const child = start();
  const server = await listening(net, { path: socketPath() });
  const [client, socket] = await connected(server);
  await delivered(child, { word: 'a' }, socket);
  expect(await textOf(client)).toBe('a');

  const [ours, theirs] = socketpair();
  await delivered(child, { word: 'b' }, theirs);
  expect(theirs.isOpen).toBe(false);
  expect(await textOf(closing(ours.toSocket()))).toBe('b');
});

test('bare handles, which stay ours', async () => {
  const child = start();
  const server = await listening(net);
  const [, socket] = await connected(server);
  const [, nodes] = await connected(await listening(nodeNet));
  for (const handle of [socket._handle, server._handle, nodes._handle]) {
    await delivered(child, {}, handle);
    expect(await reply(child)).toEqual({ got: 'TCP' });
    expect(handle.fd).toBeGreaterThan(2);
  }
});

const REFUSED = {
  file: () => new Descriptor(fs.openSync(__filename)),
  'character-device': () => new Descriptor(fs.openSync('/dev/null')),
  directory: () => new Descriptor(fs.openSync(temporaryFolder())),
  'unix-datagram': () => oneOf(socketpair({ type: 'datagram' })),
  'unix-seqpacket': () => oneOf(socketpair({ type: 'seqpacket' })),
};

function oneOf([first, second]) {
  closing(second);
  return first;
}

test.each(Object.keys(REFUSED))('a %s is refused before it is sent, and the next handle arrives', async (type) => {
  const child = start();
  const descriptor = closing(REFUSED[type]());
  expect(() => child.send('x', descriptor)).toThrow(
    expect.objectContaining({ code: 'ERR_IPC_HANDLE_NOT_SENDABLE', type, message: expect.stringContaining(type) }),
  );
  expect(descriptor.isOpen).toBe(true);
  await delivered(child, {}, closing(await listening(net)));
  expect(await reply(child)).toEqual({ got: 'Server' });
});

test.each([
  [{}, 'ERR_INVALID_HANDLE_TYPE'],
  ['x', 'ERR_INVALID_HANDLE_TYPE'],
  [1, 'ERR_INVALID_HANDLE_TYPE'],
])('%p is no handle', (handle, code) => {
  const child = start();
  expect(() => child.send('x', handle, {})).toThrow(expect.objectContaining({ code }));
});

test.each(MODULES)('a socket (%s) with data that the child would miss is refused', async (_name, module) => {
  const child = start();
  const server = closing(module.createServer());
  await once(server.listen(0), 'listening');
  const [client, socket] = await connected(server);
  client.write('read here');
  await once(socket, 'readable');
  const unread = expect.objectContaining({ code: 'ERR_DESCRIPTOR_UNREAD_DATA' });
  await expect(delivered(child, 'x', socket)).rejects.toEqual(unread);
  const failed = once(child, 'error');
  expect(child.send('x', socket)).toBe(false);
  expect(await failed).toEqual([unread]);
  expect(String(socket.read())).toBe('read here');
});

test.each(MODULES)('of a closed socket or server (%s) the message is sent alone, as by Node', async (_name, module) => {
  const child = start();
  const server = await listening(module);
  const [, socket] = await connected(server);
  socket.destroy();
  await delivered(child, { id: 1 }, socket);
  expect(await reply(child)).toEqual({ got: 'nothing', id: 1 });
});

test('no descriptor is left for the copy that is sent: the callback, or an error, tells', async () => {
  expect(await runFixture('child_process/ipc_parent_full_table.js')).toMatchObject({
    code: 0,
    stdout: 'callback EMFILE\nerror EMFILE\ndelivered\n',
  });
});

test('a closed Descriptor is refused', () => {
  const child = start();
  const [first, second] = socketpair();
  first.close();
  second.close();
  expect(() => child.send('x', first)).toThrow(expect.objectContaining({ code: 'ERR_DESCRIPTOR_CLOSED' }));
});

test('a message that cannot be serialized leaves its socket as it was', async () => {
  const child = start();
  const server = await listening(net);
  const [client, socket] = await connected(server);
  expect(() => child.send({ big: 1n }, socket)).toThrow(TypeError);
  socket.end('still here');
  expect(await textOf(client)).toBe('still here');
});
