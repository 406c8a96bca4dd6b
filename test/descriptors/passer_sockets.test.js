'use strict';

// What is given to `new DescriptorPasser()`: it takes all of it, or leaves all to the caller.

const fs = require('node:fs');
const { once } = require('node:events');
const path = require('node:path');
const { Worker } = require('node:worker_threads');
const { Descriptor, DescriptorPasser, socketpair } = require('../../lib/descriptors');
const { closing } = require('../helpers/closing');
const { connectedPair } = require('../helpers/net_pair');
const net = require('../../lib/net');

const CLOSED = 2 ** 20; // A number that nobody has.

const numberOf = ([first, second]) => {
  second.close();
  return first.take();
};

test.each([
  ['a number that is not open', CLOSED, 'EBADF'],
  ['no descriptor', 'x', 'ERR_INVALID_ARG_TYPE'],
  ['a closed socket', new net.Socket(), 'ERR_DESCRIPTOR_CLOSED'],
])('the first of two sockets, a number, stays the caller’s when the second is %s', (_, second, code) => {
  const fd = numberOf(socketpair());
  closing(fd);
  const owner = jest.spyOn(FinalizationRegistry.prototype, 'register');
  expect(() => new DescriptorPasser({ sockets: [fd, second] })).toThrow(expect.objectContaining({ code }));
  expect(owner).not.toHaveBeenCalled();
  owner.mockRestore();
});

// There a number is not taken as it is, for Node may have counted it.
test('in a worker thread, too, a number stays the caller’s when the second socket is bad', async () => {
  const lib = path.join(__dirname, '../../lib/descriptors');
  const worker = closing(
    new Worker(
      `const fs = require('node:fs');
      const { DescriptorPasser } = require(${JSON.stringify(lib)});
      const fd = fs.openSync('/dev/null');
      try {
        new DescriptorPasser({ sockets: [fd, ${CLOSED}] });
      } catch ({ code }) {
        fs.closeSync(fd);
        require('node:worker_threads').parentPort.postMessage(code);
      }`,
      { eval: true },
    ),
  );
  expect((await once(worker, 'message'))[0]).toBe('EBADF');
  await once(worker, 'exit');
});

test('the first of two sockets, a Socket, stays open when the second is not', async () => {
  const { client, accepted } = await connectedPair(net);
  expect(() => new DescriptorPasser({ sockets: [client, CLOSED] })).toThrow('EBADF');
  expect(client.destroyed).toBe(false);
  client.write('x');
  expect(String((await once(accepted, 'data'))[0])).toBe('x');
});

test('one socket twice is refused, and stays the caller’s', () => {
  const [a, b] = socketpair().map(closing);
  expect(() => new DescriptorPasser({ sockets: [a, a] })).toThrow(
    expect.objectContaining({ code: 'ERR_INVALID_ARG_VALUE' }),
  );
  expect([a.isOpen, b.isOpen]).toEqual([true, true]);
});

test('a pair of numbers is the passer’s', () => {
  const [a, b] = socketpair().map((descriptor) => descriptor.take());
  const passer = closing(new DescriptorPasser({ sockets: [a, b] }));
  expect(passer.childFd).toBe(b);
});

test('a side that cannot be opened leaves the pair to close()', () => {
  const file = new Descriptor(fs.openSync(__filename));
  const [, other] = socketpair().map(closing);
  const passer = new DescriptorPasser({ sockets: [file, other] });
  expect(() => passer.parent()).toThrow(expect.objectContaining({ syscall: 'open' }));
  passer.close();
  expect([file.isOpen, other.isOpen]).toEqual([false, false]);
});
