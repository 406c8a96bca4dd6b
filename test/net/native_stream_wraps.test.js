'use strict';

// PipeWrap and TcpWrap, method by method and errno by errno.

const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { execFileSync } = require('node:child_process');
const { Listener, PipeWrap, TcpWrap } = require('../../lib/base/binding');
const { closing } = require('../helpers/closing');
const { socketPath, temporaryFolder } = require('../helpers/socket_path');

const errno = (name) => -os.constants.errno[name];

const closeHandle = (handle) => new Promise((resolve) => (handle.close(resolve) === 0 ? undefined : resolve()));
const owned = (handle) => (closing(() => closeHandle(handle)), handle);
const event = (handle, name) => new Promise((resolve) => (handle[name] = (...args) => resolve(args)));

// A listener and the two ends of one connection to it.
async function connectPipes() {
  const listener = owned(new Listener());
  const name = socketPath();
  expect(listener.listenOnPath({ path: name })).toBe(0);
  const connection = event(listener, 'onconnection');
  const client = owned(new PipeWrap());
  const connected = event(client, 'onconnect');
  expect(client.connect(name)).toBe(0);
  expect(await connected).toEqual([0]);
  const [status, fd] = await connection;
  expect(status).toBe(0);
  const accepted = owned(new PipeWrap());
  expect(accepted.open(fd)).toBe(0);
  return { listener, client, accepted, name };
}

describe('PipeWrap.connect', () => {
  const NAMES = {
    'nothing there': [() => socketPath(), 'ENOENT'],
    'a plain file': [plainFile, 'ECONNREFUSED'],
    'below a plain file': [() => `${__filename}/s`, 'ENOTDIR'],
    'an empty name': [() => '', 'EINVAL'],
    'a NUL byte': [() => 'a\0b', 'EINVAL'],
    'an abstract name of 109 bytes': [() => '\0'.padEnd(109, 'a'), 'EINVAL'],
    'a path of 4096 bytes': [() => '/'.padEnd(4096, 'a'), 'ENAMETOOLONG'],
    'a loop of links': [loopOfLinks, 'ELOOP'],
  };
  function plainFile() {
    const name = path.join(temporaryFolder(), 'file');
    fs.writeFileSync(name, ''); // To connect takes the right to write.
    return name;
  }
  function loopOfLinks() {
    const name = path.join(temporaryFolder(), 'loop');
    fs.symlinkSync(name, name);
    return name;
  }

  test.each(Object.keys(NAMES))('tells onconnect: %s', async (kind) => {
    const [make, code] = NAMES[kind];
    const pipe = owned(new PipeWrap());
    const told = event(pipe, 'onconnect');
    expect(pipe.connect(make())).toBe(0);
    expect(await told).toEqual([errno(code)]);
  });

  test('of a connected handle tells EISCONN', async () => {
    const { client, name } = await connectPipes();
    const told = event(client, 'onconnect');
    expect(client.connect(name)).toBe(0);
    expect(await told).toEqual([errno('EISCONN')]);
  });

  test('EAGAIN when the backlog is full', async () => {
    const listener = owned(new Listener());
    const name = socketPath();
    listener.listenOnPath({ path: name, backlog: 0 });
    listener.onconnection = (status, fd) => fs.closeSync(fd);
    const statuses = await Promise.all(
      Array.from({ length: 4 }, () => {
        const pipe = owned(new PipeWrap());
        const told = event(pipe, 'onconnect');
        pipe.connect(name);
        return told;
      }),
    );
    expect(statuses.flat()).toEqual(expect.arrayContaining([0, errno('EAGAIN')]));
  });
});

describe('a failed connect leaves a handle of which', () => {
  const METHODS = {
    readStart: ['ENOTCONN', 'EBADF'],
    writeBuffer: ['EBADF', 'EPIPE'],
    writeUtf8String: ['EBADF', 'EPIPE'],
    shutdown: ['ENOTCONN'],
    getFd: ['EBADF'],
  };
  test.each(Object.keys(METHODS))('%s is an errno', async (method) => {
    const pipe = owned(new PipeWrap());
    const told = event(pipe, 'onconnect');
    pipe.connect(socketPath());
    await told;
    const result = pipe[method](method === 'writeBuffer' ? Buffer.from('x') : 'x');
    expect(METHODS[method].map(errno)).toContain(result);
  });
});

describe('open', () => {
  const DESCRIPTORS = {
    'a closed descriptor': [() => 9999, 'EBADF', 'EBADF'],
    'a plain file': [() => closing(fs.openSync(__filename)), 'EPERM', 'ENOTSOCK'],
    'a folder': [() => closing(fs.openSync(__dirname)), 'EPERM', 'ENOTSOCK'],
    '/dev/null': [() => closing(fs.openSync('/dev/null')), 'EPERM', 'ENOTSOCK'],
  };
  test.each(Object.keys(DESCRIPTORS))('of %s is refused', (kind) => {
    const [make, asPipe, asTcp] = DESCRIPTORS[kind];
    const fd = make();
    const [pipe, tcp] = [owned(new PipeWrap()), owned(new TcpWrap())];
    expect([pipe.open(fd), tcp.open(fd)]).toEqual([errno(asPipe), errno(asTcp)]);
  });

  test('of a Unix socket is EINVAL for TcpWrap', async () => {
    const { client } = await connectPipes();
    expect(owned(new TcpWrap()).open(client.fd)).toBe(errno('EINVAL'));
  });

  test('of a FIFO that is open for reading only makes writing EPIPE or EBADF', () => {
    const name = path.join(temporaryFolder(), 'fifo');
    execFileSync('mkfifo', [name]);
    const pipe = owned(new PipeWrap());
    expect(pipe.open(fs.openSync(name, fs.constants.O_RDONLY | fs.constants.O_NONBLOCK))).toBe(0);
    expect([errno('EPIPE'), errno('EBADF')]).toContain(pipe.writeUtf8String('x'));
    expect(pipe.readStart()).toBe(0);
  });
});

describe('writing', () => {
  test('answers 0 where the kernel took all, and 1 where onwrite will follow', async () => {
    const { client, accepted } = await connectPipes();
    expect(client.writeUtf8String('x')).toBe(0);
    const written = event(client, 'onwrite');
    expect(client.writeBuffer(Buffer.alloc(2_000_000))).toBe(1);
    expect(client.writeQueueSize).toBeGreaterThan(0);
    accepted.onread = () => {};
    accepted.readStart();
    expect(await written).toEqual([0]);
    expect([client.writeQueueSize, client.bytesWritten]).toEqual([0, 2_000_001]);
  });

  test('of nothing is 0', async () => {
    const { client } = await connectPipes();
    const results = [
      client.writeBuffer(Buffer.alloc(0)),
      client.writeBuffers([]),
      client.writeUtf8String(''),
      client.writeLatin1String(''),
    ];
    expect(results).toEqual([0, 0, 0, 0]);
  });

  test('to a closed peer is EPIPE, and no signal', async () => {
    const { client, accepted } = await connectPipes();
    await closeHandle(accepted);
    expect(client.writeUtf8String('x')).toBe(errno('EPIPE'));
  });

  test('after shutdown is EPIPE, and a second shutdown ENOTCONN', async () => {
    const { client } = await connectPipes();
    const shut = event(client, 'onshutdown');
    expect(client.shutdown()).toBe(0);
    expect(client.shutdown()).toBe(errno('ENOTCONN'));
    expect(await shut).toEqual([0]);
    expect([client.writeUtf8String('x'), client.shutdown()]).toEqual([errno('EPIPE'), errno('ENOTCONN')]);
  });

  test('of a detached buffer writes nothing', async () => {
    const { client } = await connectPipes();
    const buffer = new Uint8Array(10);
    structuredClone(buffer.buffer, { transfer: [buffer.buffer] });
    expect(client.writeBuffer(buffer)).toBe(0);
    expect(client.bytesWritten).toBe(0);
  });
});

describe('reading', () => {
  test('may be started and stopped twice', async () => {
    const { client } = await connectPipes();
    expect([client.readStart(), client.readStart(), client.readStop(), client.readStop()]).toEqual([0, 0, 0, 0]);
  });

  test('tells the bytes, then UV_EOF', async () => {
    const { client, accepted } = await connectPipes();
    const seen = [];
    const over = new Promise((resolve) => {
      accepted.onread = (nread, chunk) => {
        seen.push([nread, String(chunk)]);
        if (nread < 0) resolve();
      };
    });
    accepted.readStart();
    client.writeUtf8String('hello');
    client.shutdown();
    await over;
    expect(seen).toEqual([[5, 'hello'], [-4095, '']]); // prettier-ignore
    expect(accepted.bytesRead).toBe(5);
  });

  test('into a buffer of the caller fills that, with no chunk', async () => {
    const { client, accepted } = await connectPipes();
    const buffer = Buffer.alloc(8, '.');
    expect(accepted.useUserBuffer(buffer)).toBe(0);
    const read = event(accepted, 'onread');
    accepted.readStart();
    client.writeUtf8String('abc');
    expect(await read).toEqual([3, null]);
    expect(String(buffer)).toBe('abc.....');
  });

  test('ends with null: chunks come again, or a viewer sees them where they are', async () => {
    const { client, accepted } = await connectPipes();
    accepted.useUserBuffer(Buffer.alloc(8));
    expect(accepted.useUserBuffer(null)).toBe(0);
    const read = event(accepted, 'onread');
    accepted.readStart();
    client.writeUtf8String('chunk');
    expect(String((await read)[1])).toBe('chunk');
    const seen = new Promise((resolve) => {
      accepted.viewer = (memory, start, end) => resolve(memory.toString('latin1', start, end));
    });
    client.writeUtf8String('viewed');
    expect(await seen).toBe('viewed');
    const end = event(accepted, 'onread');
    client.shutdown();
    expect((await end)[0]).toBe(-4095);
  });

  test('into an empty buffer ends with ENOBUFS', async () => {
    const { client, accepted } = await connectPipes();
    expect(accepted.useUserBuffer(Buffer.alloc(0))).toBe(0);
    const read = event(accepted, 'onread');
    accepted.readStart();
    client.writeUtf8String('abc');
    expect((await read)[0]).toBe(errno('ENOBUFS'));
  });
});

describe('TcpWrap', () => {
  function listenTcp(address = '127.0.0.1') {
    const listener = owned(new Listener());
    expect(listener.listenOnAddress({ address, port: 0 })).toBe(0);
    listener.onconnection = (status, fd) => owned(new TcpWrap()).open(fd);
    return listener;
  }

  test.each(['127.0.0.1', '::1'])('connects on %s and knows both names', async (address) => {
    const listener = listenTcp(address);
    const { port } = listener.getsockname();
    const tcp = owned(new TcpWrap());
    const connected = event(tcp, 'onconnect');
    expect(tcp.connect(address, port)).toBe(0);
    expect(await connected).toEqual([0]);
    expect([tcp.getpeername().port, tcp.getsockname().address]).toEqual([port, address]);
    expect([tcp.setNoDelay(true), tcp.setKeepAlive(true, 10), tcp.setKeepAlive(false, 0)]).toEqual([0, 0, 0]);
  });

  test.each([
    ['nonsense', 1],
    ['127.0.0.1', -1],
    ['127.0.0.1', 65536],
    ['', 1],
    ['127.0.0.1\0', 1],
  ])('connect(%j, %i) is EINVAL', (host, port) => {
    // prettier-ignore
    expect(owned(new TcpWrap()).connect(host, port)).toBe(errno('EINVAL'));
  });

  test('a second connect under way is EALREADY, or EISCONN', () => {
    const { port } = listenTcp().getsockname();
    const tcp = owned(new TcpWrap());
    tcp.onconnect = () => {};
    expect(tcp.connect('127.0.0.1', port)).toBe(0);
    expect([errno('EALREADY'), errno('EISCONN')]).toContain(tcp.connect('127.0.0.1', port));
  });

  test('a refused port is told to onconnect', async () => {
    const listener = listenTcp();
    const { port } = listener.getsockname();
    await closeHandle(listener);
    const tcp = owned(new TcpWrap());
    const told = event(tcp, 'onconnect');
    tcp.connect('127.0.0.1', port);
    expect(await told).toEqual([errno('ECONNREFUSED')]);
  });

  test('getpeername before a connection is ENOTCONN', () => {
    const tcp = owned(new TcpWrap());
    tcp.bind('127.0.0.1', 0);
    expect(tcp.getpeername()).toBe(errno('ENOTCONN'));
  });
});

describe('Listener', () => {
  test.each([
    ['path', () => ({ path: socketPath() }), 'listenOnPath'],
    ['address', () => ({ address: '127.0.0.1' }), 'listenOnAddress'],
  ])('listening twice is EBUSY: %s', (_, make, method) => {
    // prettier-ignore
    const listener = owned(new Listener());
    expect([listener[method](make()), listener[method](make())]).toEqual([0, errno('EBUSY')]);
  });

  test.each([
    [9999, 'EBADF'],
    [0, 'ENOTSOCK'],
  ])('listenOnFd(%i) is refused', (fd, code) => {
    const expected = [errno(code), errno('EINVAL'), errno('EOPNOTSUPP')];
    expect(expected).toContain(owned(new Listener()).listenOnFd(fd, 1));
  });

  test.each(['nonsense', '', '1.2.3', '192.0.2.1'])('listenOnAddress(%j) is EINVAL or EADDRNOTAVAIL', (address) => {
    const result = owned(new Listener()).listenOnAddress({ address, port: 0 });
    expect(result).toBe(errno(address === '192.0.2.1' ? 'EADDRNOTAVAIL' : 'EINVAL'));
  });

  test('accepts at most 64 in a turn, and all in the end', async () => {
    const listener = owned(new Listener());
    const name = socketPath();
    listener.listenOnPath({ path: name });
    const pipes = Array.from({ length: 200 }, () => owned(new PipeWrap()));
    let count = 0;
    const perTurn = [];
    const all = new Promise((resolve) => {
      listener.onconnection = (status, fd) => {
        fs.closeSync(fd);
        perTurn[perTurn.length - 1]++;
        if (++count === 200) resolve();
      };
    });
    for (const pipe of pipes) pipe.connect(name);
    const turn = () => count < 200 && (perTurn.push(0), setImmediate(turn));
    turn();
    await all;
    expect(Math.max(...perTurn)).toBeLessThanOrEqual(64);
  });
});
