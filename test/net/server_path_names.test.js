'use strict';

// Which names a server can have: paths short and long, abstract names; and how wrong
// ones are refused.

const { once } = require('node:events');
const fs = require('node:fs');
const path = require('node:path');
const net = require('../../lib/net');
const { closing } = require('../helpers/closing');
const { snapshot, waitUntilClean } = require('../helpers/leaks');
const { socketPath, temporaryFolder } = require('../helpers/socket_path');

async function echoOn(name) {
  const server = closing(net.createServer((socket) => socket.pipe(socket)));
  await once(server.listen(name), 'listening');
  return server;
}

async function echo(name, text = 'hello') {
  const client = closing(net.connect(name));
  client.end(text);
  return String((await once(client, 'data'))[0]);
}

// A path of exactly `length` bytes, in folders of its own.
function pathOfLength(length) {
  let folder = temporaryFolder();
  while (length - folder.length > 200) {
    folder = path.join(folder, 'd'.repeat(Math.min(199, length - folder.length - 100)));
    fs.mkdirSync(folder);
  }
  return path.join(folder, 's'.repeat(length - folder.length - 1));
}

test.each([50, 100, 106, 107, 108, 109, 200, 255, 1000, 4000, 4095])(
  'a path of %i bytes listens, is told as it was asked, connects, and is removed',
  async (length) => {
    const name = pathOfLength(length);
    expect(Buffer.byteLength(name)).toBe(length);
    const server = await echoOn(name);
    expect(server.address()).toBe(name);
    expect(await echo(name)).toBe('hello');
    expect(fs.readdirSync(path.dirname(name))).toEqual([path.basename(name)]);
    await once(server.close(), 'close');
    expect(fs.readdirSync(path.dirname(name))).toEqual([]);
  },
);

test.each([0o600, 0o666])('a long path has the mode %p', async (mode) => {
  const name = pathOfLength(300);
  await echoOn({ path: name, mode });
  expect(fs.statSync(name).mode & 0o777).toBe(mode);
});

test('a long path that is taken is EADDRINUSE', async () => {
  const name = pathOfLength(300);
  await echoOn(name);
  const second = net.createServer();
  const failed = once(second, 'error');
  second.listen(name);
  expect((await failed)[0]).toMatchObject({ code: 'EADDRINUSE', address: name });
  expect(fs.readdirSync(path.dirname(name))).toHaveLength(1);
});

test('a name of other letters is one of bytes', async () => {
  const name = socketPath('späße-😀');
  const server = await echoOn(name);
  expect([server.address(), await echo(name)]).toEqual([name, 'hello']);
  expect(fs.readdirSync(path.dirname(name))).toEqual(['späße-😀']);
});

test('a relative path is one from the current folder', async () => {
  const name = path.relative(process.cwd(), socketPath());
  const server = await echoOn(name);
  expect([server.address(), await echo(name)]).toEqual([name, 'hello']);
});

describe('an abstract name', () => {
  const unique = (text) => `\0pipewright-${process.pid}-${text}`;

  test.each(['plain', 'with spaces', 'with\0NUL', 'späße', '/tmp/looks-like-a-path'])(
    '%j works and leaves no file',
    async (text) => {
      const server = await echoOn(unique(text));
      expect([server.address(), await echo(unique(text))]).toEqual([unique(text), 'hello']);
    },
  );

  test('is free again after close', async () => {
    const server = await echoOn(unique('again'));
    await once(server.close(), 'close');
    await echoOn(unique('again'));
  });

  test('may be 108 bytes long', async () => {
    const name = unique('x').padEnd(108, 'y');
    await echoOn(name);
    expect(await echo(name)).toBe('hello');
  });

  test('is as the kernel has it, without padding', async () => {
    const name = unique('exact');
    await echoOn(name);
    expect(
      fs
        .readFileSync('/proc/net/unix', 'latin1')
        .split('\n')
        .filter((line) => line.endsWith(`@${name.slice(1)}`)),
    ).toHaveLength(1);
  });
});

describe('refused, with no descriptor and no file left:', () => {
  const folders = {};
  const inFolder = (name) => path.join((folders.now = temporaryFolder()), name);
  const CASES = {
    'a NUL byte inside': [() => inFolder('a\0b'), 'EINVAL'],
    'a missing folder': [() => inFolder('none/s'), 'EACCES'],
    'a long path in a missing folder': [() => inFolder(`none/${'x'.repeat(150)}`), 'EACCES'],
    'a plain file below which it would be': [
      () => (fs.writeFileSync(inFolder('f'), ''), path.join(folders.now, 'f/s')),
      'ENOTDIR',
    ],
    'a plain file there': [() => (fs.writeFileSync(inFolder('f'), ''), path.join(folders.now, 'f')), 'EADDRINUSE'],
    'a folder there': [() => (fs.mkdirSync(inFolder('d')), path.join(folders.now, 'd')), 'EADDRINUSE'],
    'a name of 256 bytes': [() => inFolder('x'.repeat(256)), 'ENAMETOOLONG'],
    'a path of 4096 bytes': [() => '/'.padEnd(4096, 'x/'), 'ENAMETOOLONG'],
    'an abstract name of 109 bytes': [() => '\0'.padEnd(109, 'x'), 'EINVAL'],
  };

  test.each(Object.keys(CASES))('listen: %s', async (kind) => {
    const [make, code] = CASES[kind];
    delete folders.now;
    const name = make();
    const folder = folders.now;
    const files = folder && fs.readdirSync(folder, { recursive: true });
    const before = snapshot();
    const server = net.createServer();
    const failed = once(server, 'error');
    server.listen(name);
    const [err] = await failed;
    expect(err).toMatchObject({ code, syscall: 'listen', address: name, errno: expect.any(Number) });
    expect(await waitUntilClean(before)).toEqual([]);
    if (folder) expect(fs.readdirSync(folder, { recursive: true })).toEqual(files);
  });

  const CONNECT = {
    nothing: [() => inFolder('none'), 'ENOENT'],
    'a missing folder': [() => inFolder('none/s'), 'ENOENT'],
    'a plain file': [() => (fs.writeFileSync(inFolder('f'), ''), path.join(folders.now, 'f')), 'ECONNREFUSED'],
    'a long path with nothing there': [() => inFolder('x'.repeat(200)), 'ENOENT'],
    'a NUL byte inside': [() => inFolder('a\0b'), 'EINVAL'],
    'an abstract name nobody has': [() => '\0pipewright-nobody-has-this', 'ECONNREFUSED'],
    'an abstract name of 109 bytes': [() => '\0'.padEnd(109, 'x'), 'EINVAL'],
  };

  test.each(Object.keys(CONNECT))('connect: %s', async (kind) => {
    const [make, code] = CONNECT[kind];
    const name = make();
    const before = snapshot();
    const [err] = await once(net.connect(name), 'error');
    expect(err).toMatchObject({ code, syscall: 'connect', address: name });
    expect(await waitUntilClean(before)).toEqual([]);
  });

  const unprivileged = process.getuid() === 0 ? test.skip : test;
  unprivileged('listen and connect: no permission', async () => {
    const folder = temporaryFolder(0o500);
    const server = net.createServer();
    const failed = once(server, 'error');
    server.listen(path.join(folder, 's'));
    expect((await failed)[0]).toMatchObject({ code: 'EACCES' });
    const closed = await echoOn({ path: socketPath(), mode: 0 });
    expect((await once(net.connect(closed.address()), 'error'))[0]).toMatchObject({ code: 'EACCES' });
  });
});
