'use strict';

// What a Descriptor was turned into owns the number alone: Node's objects and ours.

const fs = require('node:fs');
const path = require('node:path');
const { once } = require('node:events');
const { text } = require('node:stream/consumers');
const { TcpWrap, duplicateFd } = require('../../lib/base/binding');
const net = require('../../lib/net');
const { Descriptor, socketpair } = require('../../lib/descriptors');
const { closing } = require('../helpers/closing');
const { runFixture } = require('../helpers/child');
const { temporaryFolder } = require('../helpers/socket_path');

const kLend = Symbol.for('pipewright.lend');

test('file streams in a worker thread: Node has nothing to warn of, and its end closes them', async () => {
  const { code, stderr, stdout } = await runFixture('descriptors/file_stream_thread.js');
  expect({ code, stderr, stdout }).toEqual({ code: 0, stderr: '', stdout: 'open true\nopen false\n' });
});

test('a file stream that is not to close itself leaves the number to the caller', async () => {
  const stream = new Descriptor(fs.openSync(__filename)).toReadStream({ autoClose: false });
  expect(await text(stream)).toMatch('use strict');
  fs.closeSync(stream.fd);
});

test('a file stream takes an encoding in place of options, as node:fs', async () => {
  const stream = new Descriptor(fs.openSync(__filename)).toReadStream('latin1');
  const [chunk] = await once(stream, 'data');
  stream.destroy();
  expect(typeof chunk).toBe('string');
});

test('a file stream uses what is given as its fs, and closes all the same', async () => {
  const read = jest.fn(fs.read);
  const stream = new Descriptor(fs.openSync(__filename)).toReadStream({ fs: { read } });
  await text(stream);
  expect(read).toHaveBeenCalled();
});

test('a file stream tells by an error that it cannot close', async () => {
  const stream = new Descriptor(fs.openSync(path.join(temporaryFolder(), 'file'), 'w')).toWriteStream();
  fs.closeSync(stream.fd);
  stream.destroy();
  expect((await once(stream, 'error'))[0]).toMatchObject({ code: 'EBADF', syscall: 'close' });
});

test.each(['toSocket', 'toServer', 'toNodeSocket', 'toNodeServer', 'toReadStream', 'toWriteStream'])(
  '%s() of what is being sent is refused',
  (method) => {
    const [a] = socketpair().map(closing);
    const { settle } = a[kLend]({ keep: true });
    expect(() => a[method]()).toThrow(expect.objectContaining({ code: 'ERR_DESCRIPTOR_BUSY' }));
    settle(true);
    expect([a.isOpen, a.type]).toEqual([true, 'unix']);
  },
);

test.each(['toServer', 'toNodeServer'])('%s() of a connected socket leaves it connected', async (method) => {
  const [a, b] = socketpair().map(closing);
  const [error] = await once(a[method](), 'error');
  expect(error).toMatchObject({ code: 'EINVAL', syscall: 'listen' });
  expect([a.isOpen, a.type]).toEqual([true, 'unix']);
  const socket = closing(b.toSocket());
  closing(a.toSocket()).end('still here');
  expect(await text(socket)).toBe('still here');
});

test('toNodeServer() listens on a socket that is only bound', async () => {
  const tcp = closing(new TcpWrap());
  tcp.bind('127.0.0.1', 0);
  const server = closing(new Descriptor(duplicateFd(tcp.fd)).toNodeServer((socket) => socket.end('served')));
  await once(server, 'listening');
  expect(await text(closing(net.connect(server.address().port, '127.0.0.1')))).toBe('served');
});
