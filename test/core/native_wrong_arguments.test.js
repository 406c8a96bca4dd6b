'use strict';

// No argument, receiver or state makes the addon abort; methods answer with an errno.

const { once } = require('node:events');
const fs = require('node:fs');
const os = require('node:os');
const binding = require('../../lib/base/binding');
const net = require('../../lib/net');
const { closing } = require('../helpers/closing');
const { connectedPair } = require('../helpers/net_pair');
const { socketPath } = require('../helpers/socket_path');

const { Listener, PipeWrap, TcpWrap } = binding;
const errno = (name) => -os.constants.errno[name];

const WRONG = [
  undefined,
  null,
  true,
  NaN,
  -1,
  1.5,
  2 ** 31,
  -(2 ** 31) - 1,
  Infinity,
  '',
  'x\0y',
  Symbol('s'),
  10n,
  {},
  [],
  [1],
  [null],
  () => {},
  new Date(),
  new ArrayBuffer(8),
  new Map(),
  new Proxy({}, {}),
  new Proxy([], {}),
  Object.create(null),
];
const CLASSES = { PipeWrap, TcpWrap, Listener };

// The prototypes of a class, Object's apart (the addon's is that of another realm).
function prototypesOf(Class) {
  const found = [];
  for (let proto = Class.prototype; !Object.hasOwn(proto, 'hasOwnProperty'); proto = Object.getPrototypeOf(proto)) {
    found.push(proto);
  }
  return found;
}

const hasMethod = (proto, name) => typeof Object.getOwnPropertyDescriptor(proto, name)?.value === 'function';

function methodsOf(Class) {
  const names = prototypesOf(Class).flatMap((proto) =>
    Object.getOwnPropertyNames(proto).filter((name) => hasMethod(proto, name)),
  );
  return [...new Set(names)].filter((name) => name !== 'constructor');
}

const METHODS = Object.entries(CLASSES).flatMap(([name, Class]) => methodsOf(Class).map((method) => [name, method]));
// Whose wrong arguments there are none of: they take none, or anything is a boolean.
const TAKES_NOTHING =
  /^(accept|close|ref|unref|hasRef|hasUnread|get\w+|keepFile|removeFile|read\w+|shutdown|reset|setNoDelay)$/;
const SETTLED = [errno('EINVAL'), errno('EBADF'), errno('ENOTCONN'), errno('EPIPE'), errno('EBUSY')];

function openHandle(Class) {
  const handle = new Class();
  if (Class === PipeWrap) handle.connect(socketPath()); // Fails, and is open all the same.
  if (Class === TcpWrap) handle.bind('127.0.0.1', 0);
  if (Class === Listener) handle.listenOnPath({ path: socketPath() });
  handle.onconnect = () => {};
  closing(() => handle.close());
  return handle;
}

function closedHandle(Class) {
  const handle = new Class();
  handle.close();
  return handle;
}

describe.each([
  ['never opened', (Class) => new Class()],
  ['open', openHandle],
  ['closing', (Class) => (openHandle(Class).close(), openHandle(Class))],
  ['closed', closedHandle],
])('a handle that is %s', (_, make) => {
  test.each(METHODS)('refuses wrong arguments: %s.%s', (className, method) => {
    if (TAKES_NOTHING.test(method)) return;
    for (const value of WRONG) {
      const handle = make(CLASSES[className]);
      for (const args of [[value], [value, value], [value, value, value]]) {
        const isEmptyList = method === 'writeBuffers' && Array.isArray(value) && value.length === 0;
        const isText = /String$|^connect$/.test(method) && typeof value === 'string';
        const isNone = ['useUserBuffer', 'forwardTo'].includes(method) && value === null;
        if (!isEmptyList && !isText && !isNone)
          expect([method, value, SETTLED.includes(handle[method](...args))]).toEqual([method, value, true]);
      }
      handle.close();
    }
  });
});

describe('a handle that was never opened', () => {
  test.each(METHODS)('answers %s.%s with a number, a boolean, a name or nothing', (className, method) => {
    const handle = new CLASSES[className]();
    expect(['number', 'boolean', 'undefined']).toContain(typeof handle[method]());
    handle.close();
  });

  test('answers close with 1, and then with EBADF', () => {
    const handle = new PipeWrap();
    expect([handle.close(), handle.close(), handle.close()]).toEqual([1, errno('EBADF'), errno('EBADF')]);
  });

  test('cannot be opened after it was closed', () => {
    const [pipe, tcp, listener] = [closedHandle(PipeWrap), closedHandle(TcpWrap), closedHandle(Listener)];
    expect(pipe.connect(socketPath())).toBe(errno('EBADF'));
    expect(tcp.bind('127.0.0.1', 0)).toBe(errno('EBADF'));
    expect(tcp.connect('127.0.0.1', 1)).toBe(errno('EBADF'));
    expect(listener.listenOnPath({ path: socketPath() })).toBeLessThan(0);
    expect(listener.listenOnFd(0, 1)).toBeLessThan(0);
  });
});

describe('a closed handle', () => {
  test.each(METHODS)('answers %s.%s with EBADF, or says nothing', async (className, method) => {
    if (method === 'getAsyncId') return;
    const handle = openHandle(CLASSES[className]);
    await new Promise((resolve) => handle.close(resolve));
    const args = { connect: ['127.0.0.1', 1], bind: ['127.0.0.1', 0], listenOnFd: [0, 1], open: [0] }[method];
    const first = { writeBuffers: [], listenOnPath: { path: '/x' }, listenOnAddress: { address: '::1' } }[method];
    const result = handle[method](...(args ?? [first ?? (method.endsWith('String') ? 'x' : Buffer.from('x'))]));
    const silent = {
      getWriteQueueSize: 0,
      getBytesRead: 0,
      getBytesWritten: 0,
      hasRef: false,
      hasUnread: false,
      useUserBuffer: 0,
    };
    if (/^listenOn/.test(method) || method === 'open') expect(result).toBeLessThan(0);
    else if (!['keepFile', 'removeFile', 'reject'].includes(method))
      expect(result).toBe(silent[method] ?? errno('EBADF'));
  });
});

describe('a wrong receiver', () => {
  const RECEIVERS = {
    nothing: () => undefined,
    'a plain object': () => ({}),
    'a number': () => 1,
    'the prototype': (Class) => Class.prototype,
    'an object made from a handle': (Class) => Object.create(new Class()),
    'a Proxy of a handle': (Class) => new Proxy(new Class(), {}),
    'a handle of another class': (Class) => (Class === PipeWrap ? new TcpWrap() : new PipeWrap()),
  };

  test.each(Object.keys(RECEIVERS))('is refused: %s', (name) => {
    for (const [className, method] of METHODS) {
      const Class = CLASSES[className];
      const native = prototypesOf(Class).at(-1);
      if (!hasMethod(native, method)) continue;
      expect(() => native[method].call(RECEIVERS[name](Class), 'x')).toThrow('Illegal invocation');
    }
  });

  test('of a class made by another new.target stays what it is', () => {
    const handle = Reflect.construct(PipeWrap, [], TcpWrap);
    expect(() => handle.bind('127.0.0.1', 0)).toThrow('Illegal invocation');
  });

  test.each(Object.keys(CLASSES))('%s cannot be called without new', (name) => {
    expect(() => CLASSES[name]()).toThrow("without 'new'");
    expect(() => prototypesOf(CLASSES[name]).at(-1).constructor()).toThrow("without 'new'");
  });
});

describe('peerCredentials', () => {
  test.each(WRONG.map((value) => [value]))('answers %p with EINVAL', (value) => {
    expect(binding.peerCredentials(value)).toBe(errno('EINVAL'));
  });

  test('tells a closed descriptor, a file and a TCP socket apart', async () => {
    const file = closing(fs.openSync(__filename));
    const server = closing(net.createServer());
    await once(server.listen(0, '127.0.0.1'), 'listening');
    const results = [9999, file, server._handle.fd].map(binding.peerCredentials);
    expect(results).toEqual([errno('EBADF'), errno('ENOTSOCK'), errno('EOPNOTSUPP')]);
  });
});

describe('writeBuffers', () => {
  test('answers a list of four thousand million holes with EINVAL', async () => {
    const { client } = await connectedPair(net);
    expect(client._handle.writeBuffers(new Array(2 ** 32 - 1))).toBe(errno('EINVAL'));
  });

  test('takes more buffers than the kernel takes at once', async () => {
    const { client, accepted } = await connectedPair(net);
    accepted.once('data', () => {});
    const chunks = Array.from({ length: 3000 }, (_, i) => Buffer.from(String(i % 10)));
    client.cork();
    for (const chunk of chunks) client.write(chunk);
    client.end();
    const received = [];
    accepted.on('data', (chunk) => received.push(chunk));
    await once(accepted, 'end');
    expect(Buffer.concat(received).equals(Buffer.concat(chunks))).toBe(true);
  });

  test('keeps its buffers when the list is emptied while they wait', async () => {
    const { client, accepted } = await connectedPair(net);
    accepted.pause();
    const list = Array.from({ length: 64 }, (_, i) => Buffer.alloc(64 * 1024, i + 1));
    expect(client._handle.writeBuffers(list)).toBe(1);
    list.length = 0;
    globalThis.gc?.();
    for (let i = 0; i < 64; i++) Buffer.alloc(64 * 1024, 0xff);
    const received = [];
    accepted.on('data', (chunk) => received.push(chunk));
    accepted.resume();
    await new Promise((resolve) => (client._handle.onwrite = resolve));
    client.end();
    await once(accepted, 'end');
    const all = Buffer.concat(received);
    for (let i = 0; i < 64; i++) expect(all[i * 64 * 1024]).toBe(i + 1);
  });

  test('is not fooled by an element whose getter closes the handle', async () => {
    const server = closing(net.createServer((socket) => socket.destroy()));
    await once(server.listen(socketPath()), 'listening');
    const handle = new PipeWrap();
    handle.connect(server.address());
    const list = [Buffer.from('x'), null];
    Object.defineProperty(list, 1, { get: () => (handle.close(), Buffer.from('y')) });
    expect(handle.writeBuffers(list)).toBeLessThan(0);
  });

  test('passes on what an element getter throws', async () => {
    const { client } = await connectedPair(net);
    const list = [null];
    Object.defineProperty(list, 0, { get: () => { throw new RangeError('mine'); } }); // prettier-ignore
    expect(() => client._handle.writeBuffers(list)).toThrow('mine');
  });
});

describe('options objects', () => {
  test.each(['listenOnPath', 'listenOnAddress'])('whose getters throw make %s throw that', (method) => {
    const options = new Proxy({}, { get: () => { throw new RangeError('mine'); } }); // prettier-ignore
    expect(() => new Listener()[method](options)).toThrow('mine');
  });

  const FIELDS = ['mode', 'addMode', 'uid', 'gid', 'backlog'];
  const BAD = [null, NaN, 1.5, 2 ** 31, '1', {}, [], true];
  test.each(FIELDS)('with a wrong %s are answered with EINVAL', (field) => {
    for (const value of BAD) {
      const path = socketPath();
      expect(new Listener().listenOnPath({ path, [field]: value })).toBe(errno('EINVAL'));
      expect(fs.existsSync(path)).toBe(false);
    }
  });
});
