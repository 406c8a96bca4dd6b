'use strict';

// A socket that another process has, too: it sets options, or leaves out-of-band bytes,
// and neither costs descriptors or processor time (rule 29).

const { spawn } = require('node:child_process');
const { once } = require('node:events');
const fs = require('node:fs');
const path = require('node:path');
const { createSocket } = require('../../lib/dgram');
const { DescriptorPasser, socketpair } = require('../../lib/descriptors');
const { closing } = require('../helpers/closing');

const SHARER = path.join(__dirname, '../fixtures/descriptors/socket_sharer.py');

const OPTIONS = {
  SO_PASSCRED: '16=1',
  SO_PASSSEC: '34=1',
  SO_PEEK_OFF: '42=0',
  'SO_PEEK_OFF of 1': '42=1',
  SO_PASSPIDFD: '76=1', // Linux 6.5; one that the kernel does not know ends the sharer.
  SO_INQ: '84=1', // Linux 6.17
};

function start(kind, options = [], { sendsBytes = true, type = 'stream' } = {}) {
  const [ours, theirs] = socketpair({ type });
  theirs.isNonBlocking = false;
  const env = { ...process.env, SENDS_BYTES: sendsBytes ? '1' : '' };
  const stdio = ['ignore', 'pipe', 'pipe', theirs.fd, ours.fd];
  const child = closing(spawn('python3', [SHARER, kind, ...options], { stdio, env }));
  theirs.close();
  return { ours, child };
}

const openDescriptors = () => fs.readdirSync('/proc/self/fd').length;

// What the sharer could not set, as the kernel's message.
async function refusal(child) {
  let text = '';
  child.stderr.on('data', (chunk) => (text += chunk));
  await once(child, 'close');
  return /Protocol not available/.exec(text)?.[0] ?? text;
}

async function receiveAll(descriptor, room) {
  const outcome = { bytes: '', descriptors: 0 };
  const buffer = Buffer.alloc(room);
  const onread = { buffer, callback: (length) => (outcome.bytes += buffer.toString('latin1', 0, length)) };
  const socket = closing(descriptor.toSocket({ descriptors: true, onread }));
  socket.on('descriptors', (list) => {
    outcome.descriptors += list.length;
    list.forEach((descriptor) => descriptor.close());
  });
  await once(socket, 'close');
  return outcome;
}

describe.each([
  ...Object.entries(OPTIONS).map(([name, option]) => [name, [option]]),
  ['all of them', Object.values(OPTIONS)],
])('with %s set while we read', (_, options) => {
  // A look that its room ends shows descriptors that belong to what comes behind it.
  test.each([1, 2, 3, 1000])('a socket with room for %d bytes gets each descriptor once', async (room) => {
    const { ours, child } = start('options', options);
    const refused = refusal(child);
    const before = openDescriptors();
    const outcome = await receiveAll(ours, room);
    const reason = await refused;
    if (reason === 'Protocol not available') return; // An older kernel has no such option.
    expect(reason).toBe('');
    expect(outcome).toEqual({ bytes: 'abc'.repeat(20), descriptors: 20 });
    while (openDescriptors() > before) await new Promise(setImmediate);
  });

  test('a passer gets each descriptor once', async () => {
    const { ours, child } = start('options', options, { sendsBytes: false });
    const refused = refusal(child);
    const passer = closing(new DescriptorPasser(ours));
    let count = 0;
    for await (const descriptor of passer) {
      count += 1;
      descriptor.close();
    }
    const reason = await refused;
    if (reason === 'Protocol not available') return;
    expect([reason, count]).toEqual(['', 20]);
  });
});

test('empty packets with descriptors, without credentials, cost none', async () => {
  const { ours, child } = start('credentials', [], { type: 'seqpacket' });
  const refused = refusal(child);
  const socket = closing(createSocket({ type: 'seqpacket', descriptors: true, socket: ours }));
  let count = 0;
  socket.on('message', (_, { descriptors }) => {
    count += descriptors.length;
    descriptors.forEach((descriptor) => descriptor.close());
  });
  await socket.send('go');
  await once(socket, 'end');
  expect([await refused, count]).toEqual(['', 20]);
});

describe.each(['out-of-band', 'out-of-band-taken', 'out-of-band-read-on'])('a byte sent %s', (kind) => {
  test('costs a socket no processor time, and no descriptor behind it', async () => {
    const { ours, child } = start(kind);
    const refused = refusal(child);
    await once(child.stdout, 'data');
    const begun = process.cpuUsage();
    const outcome = await receiveAll(ours, 10);
    const { user, system } = process.cpuUsage(begun);
    expect([await refused, outcome]).toEqual(['', { bytes: 'x', descriptors: 1 }]);
    expect((user + system) / 1000).toBeLessThan(100);
  });

  test('costs a passer neither', async () => {
    const { ours, child } = start(kind);
    const refused = refusal(child);
    await once(child.stdout, 'data');
    const passer = closing(new DescriptorPasser(ours));
    const begun = process.cpuUsage();
    const descriptor = await passer.receive();
    descriptor.close();
    const { user, system } = process.cpuUsage(begun);
    expect(await refused).toBe('');
    expect((user + system) / 1000).toBeLessThan(100);
  });
});
