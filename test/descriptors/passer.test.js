'use strict';

// DescriptorPasser, by its promises: order, what waits and what does not, how it ends.

const { once } = require('node:events');
const fs = require('node:fs');
const path = require('node:path');
const { Descriptor, DescriptorPasser, socketpair, toDescriptor } = require('../../lib/descriptors');
const { closing } = require('../helpers/closing');
const { temporaryFolder } = require('../helpers/socket_path');

function pair(options) {
  return DescriptorPasser.pair(options).map(closing);
}

// A pipe's two ends; the text is in it already.
function pipeWith(text) {
  const file = path.join(temporaryFolder(), 'text');
  fs.writeFileSync(file, text);
  return fs.openSync(file);
}

async function send(passer, text) {
  const fd = pipeWith(text);
  await passer.send(fd);
  fs.closeSync(fd);
}

const textOf = (descriptor) => {
  const text = fs.readFileSync(descriptor.fd, 'utf8');
  descriptor.close();
  return text;
};

describe('construction', () => {
  test('without arguments makes a pair, of which a side is to be chosen', async () => {
    const ours = closing(new DescriptorPasser());
    const theirs = closing(new DescriptorPasser(toDescriptor(ours.childFd)));
    ours.parent();
    await send(theirs, 'hello');
    expect(textOf(await ours.receive())).toBe('hello');
  });

  test('takes a pair', async () => {
    const [a, b] = socketpair();
    const copy = b.duplicate();
    const first = closing(new DescriptorPasser({ sockets: [a, b] }).parent());
    const second = closing(new DescriptorPasser(copy));
    await send(first, 'through a given pair');
    expect(textOf(await second.receive())).toBe('through a given pair');
  });

  test('child() keeps the other side', async () => {
    const passer = new DescriptorPasser();
    closing(passer);
    const fd = passer.childFd;
    expect(passer.child().fd).toBe(fd);
  });

  test('refuses more than two sockets', () => {
    const [a, b] = socketpair();
    const close = () => [a, b].forEach((each) => each.close());
    expect(() => new DescriptorPasser({ sockets: [a, b, a] })).toThrow(
      expect.objectContaining({ code: 'ERR_INVALID_ARG_VALUE' }),
    );
    close();
  });

  test.each([
    [{ batch: 0 }, 'ERR_OUT_OF_RANGE'],
    [{ batch: 254 }, 'ERR_OUT_OF_RANGE'],
    [{ maxDescriptors: 'x' }, 'ERR_INVALID_ARG_TYPE'],
    [{ setNonBlocking: 1 }, 'ERR_INVALID_ARG_TYPE'],
    [null, 'ERR_INVALID_ARG_TYPE'],
    ['path', 'ERR_INVALID_ARG_TYPE'],
  ])('refuses %j with %s', (options, code) => {
    expect(() => new DescriptorPasser(options)).toThrow(expect.objectContaining({ code }));
  });

  test('refuses what is no Unix socket', () => {
    const fd = closing(pipeWith(''));
    expect(() => new DescriptorPasser(fd)).toThrow(expect.objectContaining({ code: 'ENOTSOCK' }));
  });

  test('using a pair before a side is chosen throws, and so does choosing twice', () => {
    const passer = closing(new DescriptorPasser());
    expect(() => passer.receive(() => {})).toThrow(expect.objectContaining({ code: 'ERR_PASSER_NO_SIDE' }));
    expect(() => passer.send(0, () => {})).toThrow(expect.objectContaining({ code: 'ERR_PASSER_NO_SIDE' }));
    passer.parent();
    expect(() => passer.child()).toThrow(expect.objectContaining({ code: 'ERR_PASSER_SIDE_CHOSEN' }));
    expect(() => passer.childFd).toThrow(expect.objectContaining({ code: 'ERR_PASSER_SIDE_CHOSEN' }));
  });

  test('sets the socket non-blocking, or leaves it as it is', () => {
    const [a, b] = socketpair();
    a.isNonBlocking = false;
    b.isNonBlocking = false;
    const first = closing(new DescriptorPasser({ socket: a, setNonBlocking: false }));
    const second = closing(new DescriptorPasser(b));
    expect([first.stats().isNonBlocking, second.stats().isNonBlocking]).toEqual([false, true]);
  });

  test('leaves nothing open when it is closed', () => {
    const before = fs.readdirSync('/proc/self/fd').length;
    const passers = DescriptorPasser.pair();
    const unchosen = new DescriptorPasser();
    for (const passer of [...passers, unchosen]) passer.close();
    expect(fs.readdirSync('/proc/self/fd').length).toBe(before);
  });
});

describe('sending and receiving', () => {
  test('1000 descriptors arrive in the order in which they were sent', async () => {
    const [a, b] = pair();
    const file = path.join(temporaryFolder(), 'numbers');
    fs.writeFileSync(file, Buffer.alloc(1000));
    const numbers = Array.from({ length: 1000 }, (_, i) => i);
    const sent = numbers.map(async (i) => {
      const fd = fs.openSync(file);
      if (i > 0) fs.readSync(fd, Buffer.alloc(i), 0, i, null);
      await a.send(fd);
      fs.closeSync(fd);
    });
    const got = [];
    for await (const descriptor of b) {
      got.push(Number(/pos:\s*(\d+)/.exec(fs.readFileSync(`/proc/self/fdinfo/${descriptor.fd}`))[1]));
      descriptor.close();
      if (got.length === 1000) break;
    }
    await Promise.all(sent);
    expect(got).toEqual(numbers);
  });

  test.each([1, 7, 253])('batches of %d arrive in order', async (batch) => {
    const [a, b] = pair({ batch });
    const texts = Array.from({ length: 600 }, (_, i) => `/${'x'.repeat(i % 3)}`);
    const fds = texts.map(() => fs.openSync('/dev/null')).map(closing);
    const sent = Promise.all(fds.map((fd) => a.send(fd)));
    let came = 0;
    for await (const descriptor of b) {
      descriptor.close();
      if (++came === 600) break;
    }
    await sent;
    expect(a.stats()).toMatchObject({ sent: 600, queued: 0, failed: 0 });
    expect(b.stats()).toMatchObject({ received: 600, unclaimed: 0 });
  });

  test('both sides send and receive at once', async () => {
    const [a, b] = pair();
    const swap = async (passer) => {
      const sent = Promise.all(Array.from({ length: 200 }, () => passer.send(0)));
      for (let i = 0; i < 200; i++) (await passer.receive()).close();
      await sent;
    };
    await Promise.all([swap(a), swap(b)]);
    expect(a.stats()).toMatchObject({ sent: 200, received: 200 });
  });

  test('10000 sends to a peer that does not read queue at once, and leave later in order', async () => {
    const [a, b] = pair();
    const fd = closing(fs.openSync('/dev/null'));
    const order = [];
    for (let i = 0; i < 10_000; i++) a.send(fd, () => order.push(i));
    await new Promise(setImmediate);
    expect(order.length).toBeLessThan(10_000);
    expect(a.stats().queued).toBeGreaterThan(5000);
    let came = 0;
    for await (const descriptor of b) {
      descriptor.close();
      if (++came === 10_000) break;
    }
    await new Promise(setImmediate);
    expect(order).toEqual(order.map((_, i) => i));
  });

  test('the callback comes when the kernel has it, not when the peer has', async () => {
    const [a] = pair();
    await a.send(0);
    expect(a.stats()).toMatchObject({ sent: 1, queued: 0 });
  });

  test('a callback is never called before send() returns', async () => {
    const [a] = pair();
    let called = false;
    const done = new Promise((resolve) => a.send(0, () => resolve((called = true))));
    expect(called).toBe(false);
    await done;
  });

  test('nothing is read from the socket before somebody asks', async () => {
    const [a, b] = pair();
    const open = () => fs.readdirSync('/proc/self/fd').length;
    await Promise.all([a.send(0), a.send(0)]);
    const before = open();
    await new Promise(setImmediate);
    expect(open()).toBe(before);
    const descriptor = await b.receive();
    await new Promise(setImmediate);
    expect(open()).toBe(before + 1);
    descriptor.close();
    expect(b.stats()).toMatchObject({ received: 1, unclaimed: 0 });
  });

  test('five receives may wait before anything is sent', async () => {
    const [a, b] = pair();
    const texts = ['1', '2', '3', '4', '5'];
    const received = Promise.all(texts.map(() => b.receive().then(textOf)));
    for (const text of texts) await send(a, text);
    expect(await received).toEqual(texts);
  });

  test('a Descriptor is closed after it was sent, unless it is kept', async () => {
    const [a, b] = pair();
    const sent = new Descriptor(fs.openSync('/dev/null'));
    const kept = new Descriptor(fs.openSync('/dev/null'));
    await Promise.all([a.send(sent), a.send(kept, { keep: true })]);
    expect([sent.isOpen, kept.isOpen]).toEqual([false, true]);
    kept.close();
    (await b.receive()).close();
    (await b.receive()).close();
  });

  test('a Descriptor that is closed while it is queued is closed once it was sent', async () => {
    const [a, b] = pair();
    const fill = Array.from({ length: 2000 }, () => a.send(0));
    const queued = new Descriptor(fs.openSync('/dev/zero'));
    const sent = a.send(queued);
    queued.close();
    expect(queued.isOpen).toBe(true);
    expect(() => queued.take()).toThrow(expect.objectContaining({ code: 'ERR_DESCRIPTOR_BUSY' }));
    let last;
    for (let i = 0; i < 2001; i++) {
      last?.close();
      last = await b.receive();
    }
    await Promise.all([...fill, sent]);
    expect(fs.readlinkSync(`/proc/self/fd/${last.fd}`)).toBe('/dev/zero');
    expect(queued.isOpen).toBe(false);
    last.close();
  });

  test('of what is no descriptor or closed it says so, and nothing else fails', async () => {
    const [a, b] = pair();
    const closed = new Descriptor(fs.openSync('/dev/null'));
    closed.close();
    await expect(a.send({})).rejects.toMatchObject({ code: 'ERR_INVALID_ARG_TYPE' });
    await expect(a.send(-1)).rejects.toMatchObject({ code: 'ERR_INVALID_ARG_TYPE' });
    await expect(a.send(closed)).rejects.toMatchObject({ code: 'ERR_DESCRIPTOR_CLOSED' });
    await expect(a.send(99_999)).rejects.toMatchObject({ code: 'EBADF' });
    await a.send(0);
    (await b.receive()).close();
  });

  test('O_NONBLOCK and close-on-exec are as they should be on the other side', async () => {
    const [a, b] = pair();
    const fifo = path.join(temporaryFolder(), 'fifo');
    require('node:child_process').execFileSync('mkfifo', [fifo]);
    const fd = closing(fs.openSync(fifo, fs.constants.O_RDWR | fs.constants.O_NONBLOCK));
    await a.send(fd);
    const received = await b.receive();
    const [, flags] = /flags:\s*(\d+)/.exec(fs.readFileSync(`/proc/self/fdinfo/${received.fd}`, 'latin1'));
    const bits = Number.parseInt(flags, 8);
    expect([bits & 0o4000, bits & 0o2000000]).toEqual([0o4000, 0o2000000]);
    received.close();
  });

  test('a passer travels over a passer', async () => {
    const [a, b] = pair();
    const [c, d] = pair();
    await a.send(c);
    expect(c.closed).toBe(true);
    const moved = closing(new DescriptorPasser(await b.receive()));
    await send(moved, 'hooray');
    expect(textOf(await d.receive())).toBe('hooray');
  });

  test('a throwing callback does not keep the next from being called', async () => {
    const [a, b] = pair();
    const errors = [];
    const { nextTick } = process;
    process.nextTick = (callback, ...args) => {
      nextTick(() => {
        try {
          callback(...args);
        } catch (error) {
          errors.push(error.message);
        }
      });
    };
    const second = new Promise((resolve) => {
      b.receive((_, descriptor) => {
        descriptor.close();
        throw new Error('of the first');
      });
      b.receive((_, descriptor) => resolve(descriptor.close()));
    });
    await Promise.all([a.send(0), a.send(0), second]);
    process.nextTick = nextTick;
    await new Promise(setImmediate);
    expect(errors).toEqual(['of the first']);
  });
});

describe('ending', () => {
  test('an orderly end is an event, ends an iteration, and refuses receives', async () => {
    const [a, b] = pair();
    await a.send(0);
    a.close();
    const came = [];
    const ended = once(b, 'end');
    for await (const descriptor of b) came.push(descriptor.close());
    await ended;
    expect(came.length).toBe(1);
    await expect(b.receive()).rejects.toMatchObject({ code: 'ERR_PASSER_ENDED' });
  });

  test('what was sent before the end still arrives', async () => {
    const [a, b] = pair({ batch: 4 });
    const sends = [1, 2, 3, 4, 5].map(() => a.send(0));
    await a.end();
    await Promise.all(sends);
    for (let i = 0; i < 5; i++) (await b.receive()).close();
    await expect(b.receive()).rejects.toMatchObject({ code: 'ERR_PASSER_ENDED' });
  });

  test('sends to a peer that has gone fail, each once, and what it sent can still be received', async () => {
    const [a, b] = pair();
    await b.send(0);
    const outcomes = [];
    for (let i = 0; i < 2000; i++) a.send(0, (error) => outcomes.push(error?.code ?? 'sent'));
    b.close();
    await expect(a.receive().then((descriptor) => descriptor.close())).resolves.toBeUndefined();
    while (outcomes.length < 2000) await new Promise(setImmediate);
    expect(new Set(outcomes)).toEqual(new Set(['sent', 'EPIPE']));
    expect(() => a.send(0, () => {})).toThrow(expect.objectContaining({ code: 'EPIPE' }));
  });

  test('a Descriptor that could not be sent stays open', async () => {
    const [a, b] = pair();
    b.close();
    const descriptor = new Descriptor(fs.openSync('/dev/null'));
    await expect(a.send(descriptor)).rejects.toMatchObject({ code: 'EPIPE' });
    expect(descriptor.isOpen).toBe(true);
    descriptor.close();
  });

  test('close() tells all who wait', async () => {
    const [a] = pair();
    const waiting = [a.receive(), ...Array.from({ length: 2000 }, () => a.send(0))];
    a.close();
    const outcomes = await Promise.allSettled(waiting);
    const codes = new Set(outcomes.map(({ reason }) => reason?.code));
    codes.delete(undefined); // None is sent at once where the user has too many descriptors in flight.
    expect(codes).toEqual(new Set(['ERR_PASSER_CLOSED', 'ECANCELED']));
    expect(() => a.receive(() => {})).toThrow(expect.objectContaining({ code: 'ERR_PASSER_CLOSED' }));
  });

  test('a message with more descriptors than are allowed is an error, and nothing is left of it', async () => {
    const [c, d] = socketpair();
    const sender = closing(new DescriptorPasser({ socket: c, batch: 2 }));
    const receiver = closing(new DescriptorPasser({ socket: d, maxDescriptors: 1 }));
    await Promise.all([sender.send(0), sender.send(0)]);
    await expect(receiver.receive()).rejects.toMatchObject({ code: 'ERR_DESCRIPTORS_TOO_MANY' });
    expect(() => receiver.receive(() => {})).toThrow(expect.objectContaining({ code: 'ERR_DESCRIPTORS_TOO_MANY' }));
  });

  test('a byte without a descriptor is an error', async () => {
    const [c, d] = socketpair();
    const socket = closing(c.toSocket());
    const passer = closing(new DescriptorPasser(d));
    socket.write('x');
    await expect(passer.receive()).rejects.toMatchObject({ code: 'ERR_PASSER_BYTES_ONLY' });
  });

  test('descriptors of a batch that nobody asked for are closed with it', async () => {
    const [a, b] = pair({ batch: 3 });
    await Promise.all([a.send(0), a.send(0), a.send(0)]);
    (await b.receive()).close();
    expect(b.stats().unclaimed).toBe(2);
    b.close();
  });
});
