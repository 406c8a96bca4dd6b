'use strict';

// pipewright/dgram: datagram and seqpacket sockets.

const { spawn } = require('node:child_process');
const { once } = require('node:events');
const fs = require('node:fs');
const path = require('node:path');
const { createInterface } = require('node:readline');
const { createSocket } = require('../../lib/dgram');
const { Descriptor, socketpair } = require('../../lib/descriptors');
const { closing } = require('../helpers/closing');
const { socketPath, temporaryFolder } = require('../helpers/socket_path');

// closing() takes what has address() for a server.
function socket(options) {
  const made = createSocket(options);
  closing(() => made[Symbol.asyncDispose ?? Symbol.for('nodejs.asyncDispose')]());
  return made;
}

async function bound(options, file = socketPath()) {
  const made = socket(options).bind(file);
  await once(made, 'listening');
  return made;
}

describe('datagram', () => {
  test('a message comes with its sender’s name', async () => {
    const server = await bound();
    const client = await bound();
    client.send('hello', server.address());
    const [data, info] = await once(server, 'message');
    expect([String(data), info]).toEqual(['hello', { path: client.address(), size: 5 }]);
  });

  test('credentials and descriptors come where they are asked for', async () => {
    const server = await bound({ credentials: true, descriptors: true });
    const descriptor = new Descriptor(fs.openSync(__filename));
    await socket().send('x', { path: server.address(), descriptors: [descriptor] });
    const [, info] = await once(server, 'message');
    expect(info).toMatchObject({ pid: process.pid, uid: process.getuid(), gid: process.getgid() });
    expect(info.descriptors.map(({ type }) => type)).toEqual(['file']);
    info.descriptors.forEach((each) => each.close());
    expect(descriptor.isOpen).toBe(false);
  });

  test('an abstract name', async () => {
    const name = `\0pipewright-${process.pid}`;
    const server = await bound({}, name);
    const client = socket().connect(name);
    await once(client, 'connect');
    client.send('to an abstract name');
    expect(String((await once(server, 'message'))[0])).toBe('to an abstract name');
  });

  test('borders are kept, also of empty messages', async () => {
    const server = await bound();
    const texts = ['a', '', 'bc', '', 'def'];
    const got = [];
    const all = new Promise((resolve) => {
      server.on('message', (data) => got.push(String(data)) === texts.length && resolve());
    });
    const client = socket();
    for (const text of texts) await client.send(text, server.address());
    await all;
    expect(got).toEqual(texts);
  });

  test('more than the receiver’s queue takes waits, and comes in order', async () => {
    const server = await bound();
    const client = socket();
    const got = [];
    const all = new Promise((resolve) => {
      server.on('message', (data) => got.push(Number(data)) === 500 && resolve());
    });
    const sent = Array.from({ length: 500 }, (_, i) => client.send(String(i), server.address()));
    await Promise.all([...sent, all]);
    expect(got).toEqual(got.map((_, i) => i));
  });

  test('a message that is too large is EMSGSIZE, and nothing is sent', async () => {
    const server = await bound();
    const client = socket();
    const got = once(server, 'message');
    await expect(client.send(Buffer.alloc(2 ** 23), server.address())).rejects.toMatchObject({
      code: 'EMSGSIZE',
      syscall: 'send',
    });
    await client.send('after', server.address());
    expect(String((await got)[0])).toBe('after');
  });

  test('a path of 150 bytes', async () => {
    const file = path.join(temporaryFolder(), 'd'.repeat(100));
    fs.mkdirSync(file);
    const name = path.join(file, 's'.repeat(50));
    const server = await bound({}, name);
    socket().send('far away', name);
    expect(String((await once(server, 'message'))[0])).toBe('far away');
  });

  test('closing removes its file, and no other', async () => {
    const first = await bound();
    const file = first.address();
    fs.renameSync(file, `${file}.moved`);
    const second = await bound({}, file);
    await new Promise((resolve) => first.close(resolve));
    expect(fs.existsSync(file)).toBe(true);
    await new Promise((resolve) => second.close(resolve));
    expect(fs.existsSync(file)).toBe(false);
  });

  test.each([
    ['a name that is taken', (file) => fs.writeFileSync(file, ''), 'EADDRINUSE'],
    ['a folder that is not there', (file) => fs.rmdirSync(path.dirname(file)), 'EACCES'],
  ])('bind: %s is an error', async (_, prepare, code) => {
    const file = socketPath();
    prepare(file);
    const [error] = await once(socket().bind(file), 'error');
    expect(error).toMatchObject({ code, syscall: 'bind', address: file });
  });

  test('sending to nobody', async () => {
    await expect(socket().send('x', socketPath())).rejects.toMatchObject({ code: 'ENOENT' });
    await expect(socket().send('x')).rejects.toMatchObject({ code: 'ENOTCONN' });
  });

  test('a syslog line reaches a /dev/log of Python’s', async () => {
    const file = socketPath('log');
    const program = `
import socket, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM); s.bind(sys.argv[1]); print("ready", flush=True)
print(s.recv(1000).decode(), flush=True)`;
    const child = closing(spawn('python3', ['-c', program, file], { stdio: ['ignore', 'pipe', 'inherit'] }));
    const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
    await lines.next();
    await socket().send('<14>Nov 22 10:00:00 app[1]: a line', file);
    expect((await lines.next()).value).toBe('<14>Nov 22 10:00:00 app[1]: a line');
  });
});

describe('seqpacket', () => {
  test('a server, its clients, messages both ways, and the end', async () => {
    const server = await bound({ type: 'seqpacket', credentials: true });
    const client = socket('seqpacket').connect(server.address());
    const [[peer]] = await Promise.all([once(server, 'connection'), once(client, 'connect')]);
    closing(() => peer.close());
    client.send('question');
    const [question, { pid }] = await once(peer, 'message');
    expect([String(question), pid]).toEqual(['question', process.pid]);
    peer.send('');
    expect((await once(client, 'message'))[0].length).toBe(0);
    const ended = once(peer, 'end');
    client.close();
    await ended;
  });

  test('nobody there is an error', async () => {
    const [error] = await once(socket('seqpacket').connect(socketPath()), 'error');
    expect(error).toMatchObject({ code: 'ENOENT', syscall: 'connect' });
  });

  test('adopts a descriptor of a pair', async () => {
    const [a, b] = socketpair({ type: 'seqpacket' });
    const left = socket({ type: 'seqpacket', socket: a });
    const right = socket({ type: 'seqpacket', socket: b });
    left.send(['two ', Buffer.from('parts')]);
    expect(String((await once(right, 'message'))[0])).toBe('two parts');
  });
});

test.each([
  [{ type: 'stream' }, 'ERR_INVALID_ARG_VALUE'],
  [5, 'ERR_INVALID_ARG_TYPE'],
  [{ credentials: 1 }, 'ERR_INVALID_ARG_TYPE'],
  [{ maxDescriptors: 300 }, 'ERR_OUT_OF_RANGE'],
])('createSocket(%j) throws %s', (options, code) => {
  expect(() => createSocket(options)).toThrow(expect.objectContaining({ code }));
});

test('refuses a stream socket, which stays its owner’s', () => {
  const [a, b] = socketpair();
  closing(() => b.close());
  expect(() => createSocket({ socket: a })).toThrow(expect.objectContaining({ code: 'ERR_INVALID_FD_TYPE' }));
  const fd = a.take();
  expect(() => createSocket({ socket: fd })).toThrow(expect.objectContaining({ code: 'ERR_INVALID_FD_TYPE' }));
  fs.closeSync(fd);
});

test('an AbortSignal closes it', async () => {
  const controller = new AbortController();
  const made = createSocket({ signal: controller.signal });
  controller.abort();
  await once(made, 'close');
  expect(() => made.send('x', 'y', () => {})).toThrow(expect.objectContaining({ code: 'ERR_SOCKET_CLOSED' }));
});
