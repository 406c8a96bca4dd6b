'use strict';

// The nine scenarios of AnyEvent::FDpasser's own tests, as ours: what its users rely on.

const { once } = require('node:events');
const fs = require('node:fs');
const path = require('node:path');
const { Descriptor, DescriptorPasser, socketpair } = require('../../lib/descriptors');
const { startFixture } = require('../helpers/child');
const { closing } = require('../helpers/closing');
const { testNeeding } = require('../helpers/needed_programs');
const { socketPath, temporaryFolder } = require('../helpers/socket_path');

// A file stands in for the pipe of the original where the reader comes later.
function newFile(text = '') {
  const file = path.join(temporaryFolder(), 'file');
  fs.writeFileSync(file, text);
  return file;
}

const opened = (file, flags) => new Descriptor(fs.openSync(file, flags));

function startPeer(name, ...args) {
  const passer = closing(new DescriptorPasser());
  const child = startFixture('descriptors/scenario_peer.js', [name, ...args], {
    stdio: ['pipe', 'pipe', 'pipe', passer.childFd],
  });
  passer.parent();
  return { passer, child };
}

async function exchange(passer, child) {
  const file = newFile();
  await passer.send(opened(file, 'w'));
  await passer.send(opened(newFile('some data 2'), 'r'));
  expect(await child.result).toMatchObject({ code: 0, stdout: 'some data 2', stderr: '' });
  expect(fs.readFileSync(file, 'utf8')).toBe('some data 1');
}

test('basic_socketpair: one descriptor each way, to a child', async () => {
  const { passer, child } = startPeer('exchange');
  await exchange(passer, child);
});

test('basic_filesystem: the same over a path, between strangers', async () => {
  const file = socketPath();
  const server = closing(await DescriptorPasser.listen(file));
  const child = startFixture('descriptors/scenario_peer.js', ['meet', file]);
  await exchange(closing(await DescriptorPasser.accept(server)), child);
});

test('buffer_exercise: sends before and after receives; one stays unclaimed; an answer comes back', async () => {
  const base = path.join(temporaryFolder(), 'n');
  for (let i = 1; i <= 5; i++) fs.writeFileSync(`${base}${i}`, `hello ${i}`);
  const { passer, child } = startPeer('echo_queue', base);
  const texts = [];
  const receive = async () => {
    const descriptor = await passer.receive();
    texts.push(fs.readFileSync(descriptor.fd, 'utf8'));
    descriptor.close();
  };
  await Promise.all([receive(), receive()]);
  await Promise.all([receive(), receive()]);
  expect(texts).toEqual(['hello 1', 'hello 2', 'hello 3', 'hello 4']);
  await passer.send(opened(newFile('confirmed'), 'r'));
  expect(await child.result).toMatchObject({ code: 0, stdout: 'confirmed', stderr: '' });
});

test('recv_before_send: a receive with nothing sent blocks nobody', async () => {
  const [a, b] = DescriptorPasser.pair().map(closing);
  const order = [];
  const received = b.receive().then((descriptor) => {
    order.push('descriptor');
    descriptor.close();
  });
  await new Promise((resolve) => setTimeout(resolve, 1));
  order.push('timer');
  await a.send(0);
  await received;
  expect(order).toEqual(['timer', 'descriptor']);
});

test('send_before_recv: a send with nobody receiving blocks nobody', async () => {
  const { passer, child } = startPeer('answer');
  const file = newFile();
  await passer.send(opened(file, 'w'));
  await new Promise((resolve) => setTimeout(resolve, 1));
  child.stdin.write('go');
  expect(await child.result).toMatchObject({ code: 0, stderr: '' });
  expect(fs.readFileSync(file, 'utf8')).toBe('an answer');
});

test('child_dies: the end is told, and the receive that waits gets no descriptor', async () => {
  const { passer, child } = startPeer('die');
  const ended = once(passer, 'end');
  await expect(passer.receive()).rejects.toMatchObject({ code: 'ERR_PASSER_ENDED' });
  await ended;
  expect(await child.result).toMatchObject({ code: 7 });
});

test('non_blocking_fhs: the flag can be set and cleared, and survives being sent', async () => {
  const pair = socketpair();
  for (const socket of pair) {
    for (const value of [true, false, true]) {
      socket.isNonBlocking = value;
      expect(socket.isNonBlocking).toBe(value);
    }
  }
  const [a, b] = DescriptorPasser.pair().map(closing);
  for (const value of [true, false]) {
    pair[0].isNonBlocking = value;
    await a.send(pair[0], { keep: true });
    const received = await b.receive();
    expect(received.isNonBlocking).toBe(value);
    received.close();
  }
  pair.forEach((socket) => socket.close());
});

testNeeding('prlimit')('full_descriptor_table: thirty arrive where four fit', async () => {
  const { passer, child } = startPeer('full_table');
  const texts = Array.from({ length: 30 }, (_, i) => `number ${i},`);
  for (const text of texts) await passer.send(opened(newFile(text), 'r'));
  const file = newFile();
  await passer.send(opened(file, 'w'));
  expect(await child.result).toMatchObject({ code: 0, stdout: texts.join(''), stderr: '' });
  expect(fs.readFileSync(file, 'utf8')).toBe('hooray');
});

test('send_passer_over_passer: a passer that came over a passer passes on', async () => {
  const { passer, child } = startPeer('nested');
  const [ours, theirs] = socketpair();
  await passer.send(theirs);
  const second = closing(new DescriptorPasser(ours));
  const file = newFile();
  await second.send(opened(file, 'w'));
  expect(await child.result).toMatchObject({ code: 0, stderr: '' });
  expect(fs.readFileSync(file, 'utf8')).toBe('hooray');
});
