'use strict';

// examples/channel_peer.py, which speaks the frames by itself, and a Channel: either side
// of a path, and over a pair.

const { spawn } = require('node:child_process');
const { once } = require('node:events');
const fs = require('node:fs');
const path = require('node:path');
const { Channel } = require('../../lib/channel');
const { Descriptor, socketpair } = require('../../lib/descriptors');
const { closeOf, messagesOf } = require('../helpers/channels');
const { closing } = require('../helpers/closing');
const { socketPath, temporaryFolder } = require('../helpers/socket_path');

const PROGRAM = path.join(__dirname, '../../examples/channel_peer.py');

function start(args, stdio) {
  const child = closing(spawn('python3', [PROGRAM, ...args], { stdio: ['ignore', 'inherit', 'inherit', ...stdio] }));
  child.ended = once(child, 'exit');
  return child;
}

function fileWith(text) {
  const file = path.join(temporaryFolder(), 'file');
  fs.writeFileSync(file, text);
  return Descriptor.from(fs.openSync(file));
}

async function expectConversation(channel, child) {
  const [{ message, descriptors }] = await messagesOf(channel, 1);
  expect([message, descriptors.map(({ type }) => type)]).toEqual([{ hello: 'from Python' }, ['character-device']]);
  descriptors[0].close();
  for (const size of [10, 300_000]) {
    const question = { text: 'ü'.repeat(size) };
    const reply = await channel.request(question, { descriptors: [fileWith('con'), fileWith('tents')] });
    expect(reply.message).toEqual({ got: question });
    const [pipe] = reply.descriptors.map((descriptor) => closing(descriptor.toSocket()));
    const [contents] = await once(pipe, 'data');
    expect(String(contents)).toBe('contents');
  }
  await channel.close();
  expect(await child.ended).toEqual([0, null]);
}

test('the Python peer connects to Channel.listen()', async () => {
  const name = socketPath();
  const server = closing(Channel.listen(name));
  await once(server, 'listening');
  const child = start([name], []);
  const [channel] = await once(server, 'channel');
  await expectConversation(closing(channel), child);
});

test('the Python peer speaks over an end of a pair', async () => {
  const [ours, theirs] = socketpair();
  const child = start([], [theirs.fd]);
  theirs.close();
  await expectConversation(closing(new Channel(ours)), child);
});

test('the Python peer may be gone before it is heard', async () => {
  const [ours, theirs] = socketpair();
  const child = start([], [theirs.fd]);
  theirs.close();
  const channel = closing(new Channel(ours));
  const closed = closeOf(channel);
  channel.on('message', (_, descriptors) => descriptors.forEach((descriptor) => descriptor.close()));
  await once(channel, 'message');
  child.kill('SIGKILL');
  expect(await closed).toMatchObject({ code: 'ERR_CHANNEL_ENDED' });
});
