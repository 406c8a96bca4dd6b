'use strict';

// Peers that mean no good: memory and the table of descriptors stay bounded, and the
// connection ends, with a clear error where one is due.

const { spawn } = require('node:child_process');
const { once } = require('node:events');
const fs = require('node:fs');
const path = require('node:path');
const { DescriptorPasser, socketpair } = require('../../lib/descriptors');
const { runFixture } = require('../helpers/child');
const { closing } = require('../helpers/closing');

const PEER = path.join(__dirname, '../fixtures/descriptors/hostile_peer.py');
const openCount = () => fs.readdirSync('/proc/self/fd').length;

function start(kind) {
  const [ours, theirs] = socketpair();
  theirs.isNonBlocking = false;
  const child = closing(spawn('python3', [PEER, kind], { stdio: ['ignore', 'ignore', 'inherit', theirs.fd] }));
  theirs.close();
  return { ours, exited: once(child, 'exit') };
}

async function watch(socket, { listens }) {
  const before = openCount();
  const outcome = { bytes: 0, descriptors: 0, most: 0, error: null };
  if (listens) {
    socket.on('descriptors', (list) => {
      outcome.descriptors += list.length;
      outcome.most = Math.max(outcome.most, openCount() - before);
      list.forEach((descriptor) => descriptor.close());
    });
  }
  socket.on('error', (error) => (outcome.error = error.code));
  socket.on('data', (chunk) => {
    outcome.bytes += chunk.length;
    outcome.most = Math.max(outcome.most, openCount() - before);
  });
  await new Promise((resolve) => socket.once('close', resolve));
  while (openCount() > before) await new Promise(setImmediate);
  return outcome;
}

test('a flood of 253 at a time is received message for message', async () => {
  const { ours, exited } = start('flood');
  const outcome = await watch(closing(ours.toSocket({ descriptors: true })), { listens: true });
  await exited;
  expect(outcome).toMatchObject({ bytes: 300, descriptors: 300 * 253, error: null });
  // What is being closed in the background, and one message.
  expect(outcome.most).toBeLessThan(20 * 253);
});

test('a flood that nobody listens to is closed', async () => {
  const { ours, exited } = start('flood');
  const outcome = await watch(closing(ours.toSocket({ descriptors: true })), { listens: false });
  await exited;
  expect(outcome).toMatchObject({ bytes: 300, error: null });
});

test('a flood where few are allowed ends with an error at the first message', async () => {
  const { ours, exited } = start('flood');
  const socket = closing(ours.toSocket({ descriptors: true, maxDescriptors: 4 }));
  const outcome = await watch(socket, { listens: true });
  await exited;
  expect(outcome).toMatchObject({ bytes: 0, descriptors: 0, error: 'ERR_DESCRIPTORS_TOO_MANY' });
});

test('a flood where none are wanted opens none', async () => {
  const { ours, exited } = start('flood');
  const outcome = await watch(closing(ours.toSocket()), { listens: false });
  await exited;
  expect(outcome).toMatchObject({ bytes: 300, most: 0, error: null });
});

test.each([
  ['cut', 2000, 667],
  ['credentials', 50, 50],
])('messages %s: all bytes and all descriptors come', async (kind, bytes, descriptors) => {
  const { ours, exited } = start(kind);
  const outcome = await watch(closing(ours.toSocket({ descriptors: true })), { listens: true });
  await exited;
  expect(outcome).toMatchObject({ bytes, descriptors, error: null });
});

test('out-of-band bytes lose no descriptors', async () => {
  const { ours, exited } = start('out-of-band');
  const outcome = await watch(closing(ours.toSocket({ descriptors: true })), { listens: true });
  await exited;
  expect(outcome).toMatchObject({ descriptors: 100, error: null });
});

test('a passer says that a byte came without a descriptor', async () => {
  const { ours, exited } = start('cut');
  const passer = closing(new DescriptorPasser(ours));
  const codes = [];
  try {
    for await (const descriptor of passer) descriptor.close();
  } catch (error) {
    codes.push(error.code);
  }
  passer.close();
  await exited;
  expect(codes).toEqual(['ERR_PASSER_BYTES_ONLY']);
});

test('a message that can never fit ends the stream with an error, and the process has room again', async () => {
  const [ours, theirs] = socketpair();
  theirs.isNonBlocking = false;
  const child = closing(spawn('python3', [PEER, 'flood'], { stdio: ['ignore', 'ignore', 'inherit', theirs.fd] }));
  theirs.close();
  const { code, stdout, stderr } = await runFixture('descriptors/small_table_receiver.js', [], {
    openFiles: 64,
    stdio: ['ignore', 'pipe', 'pipe', ours.fd],
  });
  ours.close();
  await once(child, 'exit');
  expect({ code, stdout, stderr }).toEqual({ code: 0, stdout: 'ERR_DESCRIPTORS_NEVER_FIT, room again\n', stderr: '' });
});
