'use strict';

// Descriptor: ownership, type, conversions.

const { execFileSync, spawn } = require('node:child_process');
const { once } = require('node:events');
const fs = require('node:fs');
const http = require('node:http');
const nodeNet = require('node:net');
const path = require('node:path');
const { text } = require('node:stream/consumers');
const net = require('../../lib/net');
const { Descriptor, DescriptorPasser, socketpair, toDescriptor } = require('../../lib/descriptors');
const { runFixture } = require('../helpers/child');
const { closing } = require('../helpers/closing');
const { socketPath, temporaryFolder } = require('../helpers/socket_path');

const isOpen = (fd) => fs.existsSync(`/proc/self/fd/${fd}`);
const open = (file = '/dev/null', flags = 'r') => closing(new Descriptor(fs.openSync(file, flags)));

describe('ownership', () => {
  test('close() closes, once', () => {
    const descriptor = open();
    const { fd } = descriptor;
    descriptor.close();
    descriptor.close();
    expect([isOpen(fd), descriptor.fd, descriptor.isOpen]).toEqual([false, -1, false]);
  });

  test('disposal closes', () => {
    const descriptor = open();
    descriptor[Symbol.dispose ?? Symbol.for('nodejs.dispose')]();
    expect(descriptor.isOpen).toBe(false);
  });

  test('take() gives the number away', () => {
    const descriptor = open();
    const fd = closing(descriptor.take());
    expect([isOpen(fd), descriptor.isOpen]).toEqual([true, false]);
    expect(() => descriptor.take()).toThrow(expect.objectContaining({ code: 'ERR_DESCRIPTOR_CLOSED' }));
  });

  test('duplicate() is another one of the same file, and close-on-exec', () => {
    const descriptor = open('/dev/zero');
    const copy = closing(descriptor.duplicate());
    descriptor.close();
    expect(fs.readlinkSync(`/proc/self/fd/${copy.fd}`)).toBe('/dev/zero');
    expect(execFileSync('ls', ['-l', '/proc/self/fd'], { encoding: 'utf8' })).not.toContain('/dev/zero');
  });

  test.each([
    ['1', 'ERR_INVALID_ARG_TYPE'],
    [-1, 'ERR_OUT_OF_RANGE'],
    [1.5, 'ERR_OUT_OF_RANGE'],
    [2 ** 31, 'ERR_OUT_OF_RANGE'],
    [99_999, 'EBADF'],
  ])('new Descriptor(%p) throws %s', (fd, code) => {
    expect(() => new Descriptor(fd)).toThrow(expect.objectContaining({ code }));
  });

  test.each([undefined, null, {}, 'x', { pipewrightDescriptor: 'x' }])('from(%p) throws', (value) => {
    expect(() => Descriptor.from(value)).toThrow(expect.objectContaining({ code: 'ERR_INVALID_ARG_TYPE' }));
  });

  test('forgotten ones are closed by the garbage collector, with one warning', async () => {
    const { code, stdout, stderr } = await runFixture('descriptors/forget_descriptors.js', [], {
      execArgv: ['--expose-gc'],
    });
    expect([code, stdout]).toEqual([0, 'all closed\n']);
    expect(stderr.match(/ForgottenDescriptorWarning/g)).toHaveLength(1);
  });
});

describe('type', () => {
  const fifo = () => {
    const file = path.join(temporaryFolder(), 'fifo');
    execFileSync('mkfifo', [file]);
    return fs.openSync(file, 'r+');
  };

  test.each([
    ['file', () => fs.openSync(__filename)],
    ['directory', () => fs.openSync(__dirname)],
    ['character-device', () => fs.openSync('/dev/null')],
    ['fifo', fifo],
    ['unix', () => pairOf('stream')],
    ['unix-datagram', () => pairOf('datagram')],
    ['unix-seqpacket', () => pairOf('seqpacket')],
  ])('%s', (type, make) => {
    expect(closing(new Descriptor(make())).type).toBe(type);
  });

  function pairOf(type) {
    const [a, b] = socketpair({ type });
    b.close();
    return a.take();
  }

  test('tcp and its server, udp, a unix server', async () => {
    const server = closing(nodeNet.createServer());
    await once(server.listen(0, '127.0.0.1'), 'listening');
    const client = closing(nodeNet.connect(server.address().port, '127.0.0.1'));
    const [accepted] = await once(server, 'connection');
    closing(accepted);
    const unix = closing(net.createServer());
    await once(unix.listen(socketPath()), 'listening');
    const udp = require('node:dgram').createSocket('udp4');
    closing(() => new Promise((resolve) => udp.close(resolve)));
    await new Promise((resolve) => udp.bind(0, '127.0.0.1', resolve));
    const types = [server, client, udp, unix].map((object) => closing(toDescriptor(object)).type);
    expect(types).toEqual(['tcp-server', 'tcp', 'udp', 'unix-server']);
  });

  test('of a closed one it throws', () => {
    const descriptor = open();
    descriptor.close();
    expect(() => descriptor.type).toThrow(expect.objectContaining({ code: 'ERR_DESCRIPTOR_CLOSED' }));
  });

  test('anonymous ones: a pipe, a memfd, an eventfd and a pidfd of Python', async () => {
    const [ours, theirs] = socketpair();
    const passer = closing(new DescriptorPasser(ours));
    const make =
      'os.pipe()[0], os.memfd_create("m"), os.eventfd(0) if hasattr(os, "eventfd") else 0, os.pidfd_open(os.getpid())';
    const program = `import os, socket; s = socket.socket(fileno=3); [socket.send_fds(s, [b"\\0"], [fd]) for fd in (${make})]`;
    closing(spawn('python3', ['-c', program], { stdio: ['ignore', 'inherit', 'inherit', theirs.fd] }));
    theirs.close();
    const types = [];
    for await (const descriptor of passer) types.push(closing(descriptor).type);
    expect(types).toEqual(['pipe', 'memfd', expect.stringMatching(/eventfd|character-device/), 'pidfd']);
  });
});

describe('conversions', () => {
  test('to pipewright’s Socket and Server', async () => {
    const file = socketPath();
    const original = closing(net.createServer());
    await once(original.listen(file), 'listening');
    closing(toDescriptor(original).toServer((socket) => socket.end('served')));
    const client = closing(net.connect(file));
    expect(await text(client)).toBe('served');
  });

  test('to node:net’s Socket and Server', async () => {
    const [a, b] = socketpair();
    const ours = closing(a.toNodeSocket());
    const theirs = closing(b.toSocket());
    ours.end('from Node');
    expect(await text(theirs)).toBe('from Node');
    const listening = closing(net.createServer());
    const file = socketPath();
    await once(listening.listen(file), 'listening');
    closing(toDescriptor(listening).toNodeServer((socket) => socket.end('by Node')));
    expect(await text(closing(net.connect(file)))).toBe('by Node');
    expect(a.isOpen || b.isOpen).toBe(false);
  });

  test('to file streams', async () => {
    const file = path.join(temporaryFolder(), 'file');
    const writer = closing(open(file, 'w').toWriteStream());
    writer.end('written');
    await once(writer, 'close');
    expect(await text(open(file).toReadStream())).toBe('written');
  });

  test('a received TCP listener serves http by listen({ fd })', async () => {
    const [a, b] = DescriptorPasser.pair().map(closing);
    const listener = closing(nodeNet.createServer());
    await once(listener.listen(0, '127.0.0.1'), 'listening');
    const { port } = listener.address();
    await a.send(listener);
    listener.close();
    const descriptor = await b.receive();
    expect(descriptor.type).toBe('tcp-server');
    const server = closing(http.createServer((request, response) => response.end('over a passed listener')));
    await once(server.listen({ fd: descriptor.take() }), 'listening');
    const [response] = await once(http.get({ port, host: '127.0.0.1', agent: false }), 'response');
    expect(await text(response)).toBe('over a passed listener');
  });

  test('a failed conversion leaves the Descriptor as it was', () => {
    const descriptor = open(__filename);
    expect(() => descriptor.toSocket()).toThrow(expect.objectContaining({ code: 'ERR_INVALID_FD_TYPE' }));
    expect(descriptor.isOpen).toBe(true);
  });
});

describe('what can be sent', () => {
  async function received(item, options) {
    const [a, b] = DescriptorPasser.pair().map(closing);
    await a.send(item, options);
    return closing(await b.receive());
  }

  test('a number and Node’s objects stay open', async () => {
    const handle = await fs.promises.open(__filename);
    closing(() => handle.close());
    const stream = closing(fs.createReadStream(__filename));
    await once(stream, 'open');
    const server = closing(nodeNet.createServer());
    await once(server.listen(socketPath()), 'listening');
    expect((await received(handle)).type).toBe('file');
    expect((await received(stream)).type).toBe('file');
    expect((await received(server)).type).toBe('unix-server');
    expect(handle.fd).toBeGreaterThan(0);
    expect(server.listening).toBe(true);
  });

  test('pipewright’s Socket and Server are closed, unless they are kept', async () => {
    const file = socketPath();
    const server = closing(net.createServer());
    await once(server.listen(file), 'listening');
    expect((await received(server, { keep: true })).type).toBe('unix-server');
    expect(server.listening).toBe(true);
    expect((await received(server)).type).toBe('unix-server');
    expect(server.listening).toBe(false);
  });

  test.each(['toServer', 'toNodeServer'])('%s() of what cannot listen leaves it as it was', async (method) => {
    const descriptor = open();
    const [error] = await once(closing(descriptor[method]()), 'error');
    expect(error).toMatchObject({ code: 'EINVAL', syscall: 'listen' });
    expect(descriptor.isOpen).toBe(true);
  });

  test('a server that was sent leaves its file', async () => {
    const file = socketPath();
    const server = closing(net.createServer());
    await once(server.listen(file), 'listening');
    const descriptor = await received(server);
    expect(fs.existsSync(file)).toBe(true);
    closing(descriptor.toServer((socket) => socket.end('adopted')));
    expect(await text(closing(net.connect(file)))).toBe('adopted');
  });

  test('a connection is the receiver’s: the peer sees no end', async () => {
    const [a, b] = socketpair();
    const peer = closing(a.toSocket());
    const moved = await received(b.toSocket());
    const socket = closing(moved.toSocket());
    socket.write('still here');
    const [chunk] = await once(peer, 'data');
    expect(String(chunk)).toBe('still here');
  });

  test('a socket with data that was read but not consumed is refused', async () => {
    const [a, b] = socketpair();
    const peer = closing(a.toSocket());
    const socket = closing(b.toSocket());
    peer.write('unread');
    await once(socket, 'readable');
    const [passer] = DescriptorPasser.pair().map(closing);
    await expect(passer.send(socket)).rejects.toMatchObject({ code: 'ERR_DESCRIPTOR_UNREAD_DATA' });
    expect(String(socket.read())).toBe('unread');
    await passer.send(socket);
    expect(socket.destroyed).toBe(true);
  });
});
