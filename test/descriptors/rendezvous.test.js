'use strict';

// DescriptorPasser.listen(), accept() and connect(): processes that meet at a path.

const { once } = require('node:events');
const fs = require('node:fs');
const path = require('node:path');
const { DescriptorPasser } = require('../../lib/descriptors');
const { closing } = require('../helpers/closing');
const { socketPath, temporaryFolder } = require('../helpers/socket_path');

async function expectPassing(from, to) {
  const fd = fs.openSync(__filename);
  await from.send(fd);
  const received = closing(await to.receive());
  expect(fs.fstatSync(received.fd).ino).toBe(fs.fstatSync(fd).ino);
  fs.closeSync(fd);
}

test('a server closes though a client was never accepted', async () => {
  const server = closing(await DescriptorPasser.listen(socketPath()));
  const connection = once(server, 'connection');
  closing(await DescriptorPasser.connect(server.address()));
  await connection;
  await once(server.close(), 'close');
});

test('listen, accept and connect', async () => {
  const file = socketPath();
  const server = closing(await DescriptorPasser.listen({ path: file, mode: 0o600 }));
  expect(fs.statSync(file).mode & 0o777).toBe(0o600);
  const clients = [await DescriptorPasser.connect(file), await DescriptorPasser.connect(file)].map(closing);
  const accepted = [await DescriptorPasser.accept(server), await DescriptorPasser.accept(server)].map(closing);
  await expectPassing(clients[0], accepted[0]);
  await expectPassing(accepted[1], clients[1]);
});

test('does not remove what is at the path', async () => {
  const file = path.join(temporaryFolder(), 'precious');
  fs.writeFileSync(file, 'text');
  await expect(DescriptorPasser.listen(file)).rejects.toMatchObject({ code: 'EADDRINUSE' });
  expect(fs.readFileSync(file, 'utf8')).toBe('text');
});

test('nobody there is an error', async () => {
  await expect(DescriptorPasser.connect(socketPath())).rejects.toMatchObject({ code: 'ENOENT' });
});
