'use strict';

// A number has one owner at every moment: the Descriptor, or what it was turned into. With
// two of them the second one closes a stranger's, and libuv aborts the process (issue 9).

const { once } = require('node:events');
const fs = require('node:fs');
const net = require('../../lib/net');
const { pipe } = require('../../lib/base/binding');
const dgram = require('../../lib/dgram');
const { Descriptor, DescriptorPasser, socketpair } = require('../../lib/descriptors');
const { closing } = require('../helpers/closing');
const { runFixture } = require('../helpers/child');

// An end that cannot be read, so that its socket is destroyed within its constructor.
function endToWrite() {
  const [reader, writer] = pipe().map((fd) => closing(new Descriptor(fd)));
  reader.close();
  return writer;
}

test.each(['toSocket', 'toNodeSocket'])('%s() of the end to write of a pipe takes it', async (method) => {
  const writer = endToWrite();
  const socket = closing(writer[method]());
  expect(writer.isOpen).toBe(false);
  const [error] = await once(socket, 'error');
  expect(error).toMatchObject({ code: 'ENOTCONN' });
});

test('toSocket() with a signal that was aborted takes it', async () => {
  const [end] = socketpair().map(closing);
  const socket = closing(end.toSocket({ signal: AbortSignal.abort() }));
  expect(end.isOpen).toBe(false);
  expect(await once(socket, 'error')).toMatchObject([{ name: 'AbortError' }]);
});

test('toNodeServer() of a socket that cannot listen leaves it as it was', async () => {
  const [end] = socketpair().map(closing);
  const [error] = await once(closing(end.toNodeServer()), 'error');
  expect(error).toMatchObject({ syscall: 'listen' });
  expect(end.isOpen).toBe(true);
});

test.each([
  ['toSocket()', (descriptor) => descriptor.toSocket()],
  ['toServer()', (descriptor) => descriptor.toServer()],
  ['toNodeSocket()', (descriptor) => descriptor.toNodeSocket()],
  ['toReadStream()', (descriptor) => descriptor.toReadStream()],
  ['a passer', (descriptor) => new DescriptorPasser(descriptor)],
  ['a datagram socket', (descriptor) => dgram.createSocket({ socket: descriptor }), 'datagram'],
])('while it is being sent, %s does not take it', async (_, make, type = 'stream') => {
  const passer = closing(DescriptorPasser.pair({ batch: 2 }).map(closing)[0]);
  const [end] = socketpair({ type }).map(closing);
  const sent = passer.send(end, { keep: true }); // Once the batch is full, or the tick ends.
  expect(() => make(end)).toThrow(expect.objectContaining({ code: 'ERR_DESCRIPTOR_BUSY' }));
  await sent;
  expect(end.type).toBe(type === 'stream' ? 'unix' : 'unix-datagram');
});

test('a Descriptor that is closed while it is turned into a socket stays the socket’s', () => {
  const [end] = socketpair().map(closing);
  const { fd } = end;
  const buffer = () => {
    end.close();
    return Buffer.alloc(10);
  };
  const socket = closing(end.toSocket({ onread: { buffer, callback: () => true } }));
  expect(socket._handle.fd).toBe(fd);
  expect(fs.readlinkSync(`/proc/self/fd/${fd}`)).toMatch('socket:');
});

test('a Descriptor of a number that a handle has is refused', () => {
  const [end] = socketpair().map(closing);
  const socket = closing(end.toSocket());
  expect(() => new Descriptor(socket._handle.fd)).toThrow(expect.objectContaining({ code: 'EEXIST' }));
});

test('in a worker thread a number that a handle has is refused, too', async () => {
  const { code, stderr, stdout } = await runFixture('descriptors/adopt_handles_number.js');
  expect({ code, stderr, stdout }).toEqual({ code: 0, stderr: '', stdout: 'EEXIST EEXIST EEXIST alive\n' });
});

test('a passer’s own socket cannot be listened on', async () => {
  const passer = closing(DescriptorPasser.pair().map(closing)[0]);
  const server = net.createServer().listen({ fd: passer.fd });
  expect(await once(server, 'error')).toMatchObject([{ code: 'EEXIST' }]);
});
