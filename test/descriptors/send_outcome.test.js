'use strict';

// What the sender hears: of sends that were queued when their socket was destroyed, of a
// child, and of a table that is full; what the receiver hears that closes in a callback.

const { once } = require('node:events');
const fs = require('node:fs');
const { spawn } = require('../../lib/child_process');
const net = require('../../lib/net');
const { Descriptor, DescriptorPasser } = require('../../lib/descriptors');
const { runFixture } = require('../helpers/child');
const { closing } = require('../helpers/closing');
const { connectedPair } = require('../helpers/net_pair');

const PAYLOAD = Buffer.alloc(100_000);

// Sends until the kernel takes no more and some sends are queued in the handle and in the
// stream. Counts how often each callback came, and with what.
async function fill(corks) {
  const { accepted, client } = await connectedPair(net, {
    server: { descriptors: true, pauseOnConnect: true },
    client: { descriptors: true },
  });
  const outcomes = [];
  if (corks) client.cork();
  for (let i = 0; i < 30; i++) {
    const descriptor = new Descriptor(fs.openSync('/dev/null'));
    closing(() => descriptor.close());
    const outcome = { errors: [], descriptor };
    outcomes.push(outcome);
    client.sendDescriptors([descriptor], PAYLOAD, (error) => outcome.errors.push(error?.code ?? null));
  }
  if (corks) client.uncork();
  return { accepted, client, outcomes };
}

test.each([false, true])('queued sends of a destroyed socket fail, each once (corked: %p)', async (corks) => {
  const { client, outcomes } = await fill(corks);
  await new Promise(setImmediate);
  const taken = outcomes.filter(({ errors }) => errors.length > 0).length;
  client.destroy();
  await once(client, 'close');
  await new Promise(setImmediate);
  expect(outcomes.slice(0, taken).map(({ errors }) => errors)).toEqual(Array(taken).fill([null]));
  const late = outcomes.slice(taken);
  expect(late.length).toBeGreaterThan(1);
  expect(late.map(({ errors }) => errors.length)).toEqual(late.map(() => 1));
  expect(late.filter(({ errors }) => errors[0] === null)).toEqual([]);
  // What could not be sent stays open; the rest was closed.
  expect(outcomes.map(({ descriptor }) => descriptor.isOpen)).toEqual(outcomes.map((_, i) => i >= taken));
});

test('a send that the kernel has taken is no failure, though its socket is destroyed at once', async () => {
  const { client } = await connectedPair(net, { server: { descriptors: true }, client: { descriptors: true } });
  let outcome;
  do {
    // Where the kernel takes no more descriptors of this user, of whom other tests send some, a send waits.
    await outcome;
    outcome = new Promise((resolve) => {
      client.sendDescriptors([new Descriptor(fs.openSync('/dev/null'))], 'x', resolve);
    });
  } while (client.writableLength > 0);
  client.destroy();
  expect(await outcome).toBe(null);
});

test('a child is sent as its pidfd, which stays open until the kernel has it', async () => {
  const [ours, theirs] = DescriptorPasser.pair().map(closing);
  const child = closing(spawn('cat', { stdio: ['pipe', 'ignore', 'ignore'] }));
  const sent = ours.send(child);
  const received = closing(await theirs.receive());
  await sent;
  const inode = (fd) => fs.fstatSync(fd).ino;
  expect([received.type, inode(received.fd)]).toEqual(['pidfd', inode(child.pidfd())]);
  child.kill();
  await once(child, 'exit');
  expect(() => ours.send(child, () => {})).toThrow(expect.objectContaining({ code: 'ERR_DESCRIPTOR_CLOSED' }));
});

test('toDescriptor() at a full table is EMFILE, and leaves the object as it was', async () => {
  const { code, stdout, stderr } = await runFixture('descriptors/convert_without_room.js', [], { openFiles: 40 });
  expect({ code, stdout, stderr }).toEqual({ code: 0, stdout: 'EMFILE fcntl\nlistening\n', stderr: '' });
});

test('a callback that closes its passer does not leave open what came in the same turn', async () => {
  const [ours, theirs] = DescriptorPasser.pair().map(closing);
  const file = closing(fs.openSync('/dev/null'));
  await Promise.all(Array.from({ length: 3 }, () => ours.send(file)));
  const outcomes = [];
  await new Promise((resolve) => {
    for (let i = 0; i < 3; i++) {
      theirs.receive((error, descriptor) => {
        outcomes.push(error?.code ?? descriptor.type);
        descriptor?.close();
        theirs.close();
        if (outcomes.length === 3) resolve();
      });
    }
  });
  expect(outcomes).toEqual(['character-device', 'ERR_PASSER_CLOSED', 'ERR_PASSER_CLOSED']);
});

test('an owner that throws when it is told keeps nobody from an outcome', async () => {
  const { code, stdout } = await runFixture('descriptors/throwing_owner.js');
  const socket = ['socket true', 'an owner failed', 'called back'];
  const datagram = ['dgram true', 'an owner failed', 'resolved'];
  expect({ code, lines: stdout.trim().split('\n') }).toEqual({ code: 0, lines: [...socket, ...datagram] });
});
