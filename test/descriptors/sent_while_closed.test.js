'use strict';

// A socket that is destroyed while it waits to be sent: its number may be another file's
// by the time the kernel takes it.

const { once } = require('node:events');
const fs = require('node:fs');
const { Descriptor, DescriptorPasser, socketpair } = require('../../lib/descriptors');
const { closing } = require('../helpers/closing');

const QUEUED = 2000;

test('the receiver gets the socket, not the file that has its number by then', async () => {
  const [sender, receiver] = DescriptorPasser.pair().map(closing);
  const filler = closing(new Descriptor(fs.openSync('/dev/null')));
  const [end, other] = socketpair();
  closing(other);
  const socket = end.toSocket();
  const sends = Array.from({ length: QUEUED }, () => sender.send(filler, { keep: true }));
  sends.push(sender.send(socket, { keep: true }));
  socket.destroy();
  await once(socket, 'close');
  const files = Array.from({ length: 20 }, () => fs.openSync(__filename));
  for (let i = 0; i < QUEUED; i++) (await receiver.receive()).close();
  const last = closing(await receiver.receive());
  for (const fd of files) fs.closeSync(fd);
  await Promise.all(sends);
  expect(last.type).toBe('unix');
});
