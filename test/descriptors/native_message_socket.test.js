'use strict';

// MessageSocket through the binding: what it takes, what it returns, message borders.

const fs = require('node:fs');
const os = require('node:os');
const {
  MessageSocket,
  closeFd,
  closeInBackground,
  duplicateFd,
  getFlags,
  socketPair,
} = require('../../lib/base/binding');
const { closing } = require('../helpers/closing');

const { ENOTSOCK, EAFNOSUPPORT, EBADF, EINVAL, EBUSY, EMSGSIZE, ENOENT, EPIPE } = os.constants.errno;
const UV_EOF = -4095;
const STREAM = 1;
const DATAGRAM = 2;
const SEQPACKET = 5;

function close(handle) {
  return new Promise((resolve) => {
    if (handle.close(resolve) !== 0) resolve();
  });
}

function pair(type = STREAM) {
  return socketPair(type).map((fd) => {
    const handle = new MessageSocket();
    expect(handle.open(fd)).toBe(0);
    closing(() => close(handle));
    return handle;
  });
}

// What the handle gets until the end, or until `until` is true of it.
function events(handle, until = () => false) {
  const list = [];
  return new Promise((resolve) => {
    const add = (event) => {
      list.push(event);
      if (event === 'end' || until(list)) resolve(list);
    };
    handle.ondescriptors = (fds) => {
      fds.forEach(closeInBackground);
      add(fds.length);
    };
    handle.onread = (nread, chunk) => add(nread === UV_EOF ? 'end' : nread < 0 ? nread : String(chunk));
    expect(handle.readStart()).toBe(0);
  });
}

const fds = (...numbers) => Int32Array.from(numbers);
const text = (string) => Buffer.from(string);

describe('open', () => {
  test('refuses what is no Unix socket, and leaves it to the caller', () => {
    const file = closing(fs.openSync(__filename));
    expect(new MessageSocket().open(file)).toBe(-ENOTSOCK);
    expect(getFlags(file)).toBeGreaterThanOrEqual(0);
    expect(new MessageSocket().open(99_999)).toBe(-EBADF);
  });

  test('refuses TCP', () => {
    const { TcpWrap } = require('../../lib/base/binding');
    const tcp = new TcpWrap();
    expect(tcp.bind('127.0.0.1', 0)).toBe(0);
    closing(() => close(tcp));
    const copy = closing(duplicateFd(tcp.fd));
    expect(new MessageSocket().open(copy)).toBe(-EAFNOSUPPORT);
  });

  test.each([undefined, null, 'x', -1, 1.5, NaN, {}, 2 ** 31])('returns EINVAL for %p', (value) => {
    expect(new MessageSocket().open(value)).toBe(-EINVAL);
  });

  test('twice is EBUSY', () => {
    const [a] = pair();
    expect(a.open(a.fd)).toBe(-EBUSY);
  });

  test('every method of a closed handle returns EBADF', async () => {
    const [a] = pair();
    await close(a);
    const calls = [
      a.readStart(),
      a.readStop(),
      a.receive(1),
      a.writeBuffer(text('x')),
      a.writeBuffers([text('x')]),
      a.writeUtf8String('x'),
      a.send(text('x')),
      a.sendDescriptors(fds(0), 1),
      a.shutdown(),
      a.detach(),
      a.bind('x'),
    ];
    expect(calls).toEqual(calls.map(() => -EBADF));
  });
});

describe('a stream', () => {
  test('tells of descriptors before the bytes that they came with', async () => {
    const [a, b] = pair();
    a.writeBuffer(text('two'), fds(0, 1));
    a.shutdown();
    expect(await events(b)).toEqual([2, 'two', 'end']);
  });

  // unix(7): a read goes past bytes without descriptors, and ends behind those with.
  test('ends a read behind the bytes that descriptors came with', async () => {
    const [a, b] = pair();
    a.writeBuffer(text('before,'));
    a.writeBuffer(text('with'), fds(0));
    a.writeBuffer(text('after'));
    a.writeBuffer(text('again'), fds(0, 0));
    a.shutdown();
    expect(await events(b)).toEqual([1, 'before,with', 2, 'afteragain', 'end']);
  });

  // A look that its room ends shows descriptors of a message that is not in it.
  test.each([1, 2, 3, 4, 6, 7, 8, 100])(
    'with room for %d bytes gives each message its own descriptors',
    async (room) => {
      const [a, b] = pair();
      b.useUserBuffer(Buffer.alloc(room));
      a.writeBuffer(text('aaa'));
      a.writeBuffer(text('bbb'), fds(0));
      a.writeBuffer(text('c'), fds(0, 0));
      a.writeBuffer(text('ddd'));
      a.shutdown();
      const counts = [];
      let bytes = 0;
      const positions = [];
      await new Promise((resolve) => {
        b.ondescriptors = (list) => {
          list.forEach(closeInBackground);
          counts.push(list.length);
          positions.push(bytes);
        };
        b.onread = (nread) => (nread > 0 ? (bytes += nread) : resolve());
        b.readStart();
      });
      expect([counts, bytes]).toEqual([[1, 2], 10]);
      // With the read in which the first of their bytes is, and not before.
      [3, 6].forEach((first, i) => {
        expect(positions[i]).toBeLessThanOrEqual(first);
        expect(positions[i] + room).toBeGreaterThan(first);
      });
    },
  );

  test('253 in one message come; 254 are refused', async () => {
    const [a, b] = pair();
    expect(a.writeBuffer(text('x'), new Int32Array(254))).toBe(-EINVAL);
    expect(a.writeBuffer(text('x'), new Int32Array(253))).toBe(0);
    a.shutdown();
    expect(await events(b)).toEqual([253, 'x', 'end']);
  });

  test('what is not taken is closed with the handle', async () => {
    const [a, b] = pair();
    const before = fs.readdirSync('/proc/self/fd').length;
    a.writeBuffer(text('x'), fds(0, 0, 0));
    const seen = new Promise((resolve) => (b.onread = resolve));
    delete b.ondescriptors;
    b.takeDescriptors = () => [];
    b.readStart();
    await seen;
    expect(fs.readdirSync('/proc/self/fd').length).toBe(before + 3);
    await close(b);
    while (fs.readdirSync('/proc/self/fd').length > before) await new Promise(setImmediate);
  });

  test('plain bytes are read without a look, and their descriptors dropped', async () => {
    const [a, b] = pair();
    b.setPlainBytes(4);
    a.writeBuffer(text('abcd'), fds(0));
    a.writeBuffer(text('efgh'), fds(0));
    a.shutdown();
    expect(await events(b)).toEqual(['abcd', 1, 'efgh', 'end']);
  });

  test('a failed part fails the write that it belongs to', async () => {
    const [a, b] = pair();
    while (a.writeBuffer(Buffer.alloc(2 ** 16)) === 0);
    const statuses = [];
    const written = new Promise((resolve) => {
      a.onwrite = (status) => statuses.push(status) === 2 && resolve();
    });
    expect(a.writeBuffers([text('x'), text('y')], [fds(99_999), fds(0)])).toBe(1);
    b.onread = () => {};
    b.readStart();
    await written;
    expect(statuses).toEqual([0, -EBADF]);
  });

  test('queued writes fail once when the peer has gone', async () => {
    const [a, b] = pair();
    while (a.writeBuffer(Buffer.alloc(2 ** 16)) === 0);
    a.writeBuffer(text('x'));
    const statuses = [];
    const failed = new Promise((resolve) => {
      a.onwrite = (status) => statuses.push(status) === 2 && resolve();
    });
    await close(b);
    await failed;
    expect(statuses).toEqual([-EPIPE, -EPIPE]);
  });

  test('detach() gives the descriptor up, unless something would be lost', async () => {
    const [a, b] = pair();
    a.writeBuffer(text('x'));
    while (b.writeBuffer(Buffer.alloc(2 ** 16)) === 0);
    expect(b.detach()).toBe(-EBUSY);
    const fd = a.detach();
    expect(fd).toBeGreaterThan(0);
    expect(closeFd(fd)).toBe(0);
  });
});

describe('messages', () => {
  function messages(handle, count) {
    const list = [];
    return new Promise((resolve) => {
      handle.onmessages = (some) => {
        for (const each of some) each.descriptors.forEach(closeInBackground);
        list.push(...some.map(({ data, descriptors }) => [String(data), descriptors.length]));
        if (list.length === count) resolve(list);
      };
      handle.onread = (status) => resolve([...list, status]);
      handle.readStart();
    });
  }

  test.each([DATAGRAM, SEQPACKET])('of type %d keep their borders and descriptors', async (type) => {
    const [a, b] = pair(type);
    a.send(text('one'));
    a.send(text(''), fds(0));
    a.send(text('three'), fds(0, 0));
    expect(await messages(b, 3)).toEqual([
      ['one', 0],
      ['', 1],
      ['three', 2],
    ]);
  });

  test.each([DATAGRAM, SEQPACKET])('of type %d larger than the first look come whole', async (type) => {
    const [a, b] = pair(type);
    const bytes = Buffer.alloc(150_000, 'x');
    expect(a.send(bytes, fds(0))).toBe(0);
    const [[data, count]] = await messages(b, 1);
    expect([data.length, count]).toEqual([150_000, 1]);
  });

  test('that are too large are EMSGSIZE, and nothing is sent', async () => {
    const [a, b] = pair(DATAGRAM);
    expect(a.send(Buffer.alloc(8 * 2 ** 20))).toBe(-EMSGSIZE);
    a.send(text('after'));
    expect(await messages(b, 1)).toEqual([['after', 0]]);
  });

  test('an empty packet is no end, and the end is one', async () => {
    const [a, b] = pair(SEQPACKET);
    a.send(text(''));
    await close(a);
    expect(await messages(b)).toEqual([['', 0], UV_EOF]);
  });

  test('to nobody are ENOENT', () => {
    const handle = new MessageSocket();
    closing(() => close(handle));
    expect(handle.create(DATAGRAM)).toBe(0);
    expect(handle.send(text('x'), undefined, '/nonexistent/socket')).toBe(-ENOENT);
  });
});
