'use strict';

// When descriptors are settled that wait for the kernel: not before it has their frame. A number
// that was closed too early belongs to another file, and that one would be sent.

const { once } = require('node:events');
const fs = require('node:fs');
const path = require('node:path');
const { setImmediate: turn } = require('node:timers/promises');
const { Channel } = require('../../lib/channel');
const { Descriptor, socketpair } = require('../../lib/descriptors');
const { runFixture } = require('../helpers/child');
const { channelAndSocket, channelPair, closeOf, frame, messagesOf } = require('../helpers/channels');
const { closing } = require('../helpers/closing');
const { randomIntegers } = require('../helpers/random');
const { temporaryFolder } = require('../helpers/socket_path');
const { allowHours, isStress } = require('../helpers/stress');

allowHours();

const BLOCK = Buffer.alloc(3_000_000); // More than the kernel takes while the peer does not read.

function open(text) {
  const file = path.join(temporaryFolder(), 'file');
  fs.writeFileSync(file, text);
  return fs.openSync(file);
}

function readAll(descriptors) {
  return descriptors.map((descriptor) => {
    const text = fs.readFileSync(descriptor.fd, 'utf8');
    descriptor.close();
    return text;
  });
}

// One end of a pair, which is the test's.
function openEnd() {
  const [end, other] = socketpair();
  other.close();
  return closing(end);
}

// What is asked for a descriptor, and notes what it is told.
function lendable(end = openEnd()) {
  const settled = [];
  return {
    settled,
    asked: 0,
    [Symbol.for('pipewright.lend')]() {
      this.asked += 1;
      return { fd: end.fd, settle: (sent) => settled.push(sent) };
    },
  };
}

// Reads to the end of the channel: what came with descriptors.
async function drain(socket) {
  const texts = [];
  socket.on('descriptors', (list) => texts.push(...readAll(list)));
  await once(socket.resume(), 'end');
  return texts;
}

// A channel that has to wait for its peer, and a request with descriptors behind what waits.
function blockedRequest(descriptors) {
  const [channel, socket] = channelAndSocket({ serialization: 'raw' });
  socket.pause();
  channel.send(BLOCK);
  return { channel, socket, asked: channel.request(Buffer.from('question'), { descriptors }) };
}

const early = frame('reply', 'early', { id: 1, encoding: 'raw' });

test('a reply that comes before its request was sent closes nothing that is still to be sent', async () => {
  const given = Descriptor.from(open('right'));
  const { channel, socket, asked } = blockedRequest([given]);
  const { fd } = given;
  socket.write(early);
  expect(String((await asked).message)).toBe('early');
  const others = Array.from({ length: 5 }, () => closing(Descriptor.from(open('wrong'))));
  expect(others.map((other) => other.fd)).not.toContain(fd);
  const closed = channel.close();
  expect(await drain(socket)).toEqual(['right']);
  await closed;
  expect(given.isOpen).toBe(false);
});

test.each([
  ['answered', true, (channel, socket) => socket.write(early)],
  ['given up', true, (channel, socket, controller) => controller.abort()],
])('the owner of a queued request that is %s is told once the kernel has it', async (_, sent, end) => {
  const lent = lendable();
  const [channel, socket] = channelAndSocket({ serialization: 'raw' });
  socket.pause();
  channel.send(BLOCK);
  const controller = new AbortController();
  const options = { descriptors: [lent], signal: controller.signal };
  const asked = channel.request(Buffer.alloc(0), options).catch(() => {});
  end(channel, socket, controller);
  await asked;
  expect(lent.settled).toEqual([]);
  socket.on('descriptors', (list) => list[0].close());
  socket.resume();
  await channel.sent(Buffer.alloc(0));
  expect(lent.settled).toEqual([sent]);
});

test('close() sends queued requests with the right descriptors, which stay the caller’s', async () => {
  const lent = lendable();
  const given = closing(Descriptor.from(open('right')));
  const { channel, socket, asked } = blockedRequest([given, lent]);
  const closed = channel.close();
  await expect(asked).rejects.toMatchObject({ code: 'ERR_CHANNEL_CLOSED' });
  expect(lent.settled).toEqual([]);
  given.close(); // Its owner need not wait, and cannot get in the way.
  closing(Descriptor.from(open('wrong')));
  const texts = [];
  socket.on('descriptors', ([first, second]) => {
    second.close();
    texts.push(...readAll([first]));
  });
  await once(socket.resume(), 'end');
  await closed;
  expect([texts, lent.settled]).toEqual([['right'], [false]]);
});

test('a request that was answered early and never sent was not sent', async () => {
  const lent = lendable();
  const { channel, socket, asked } = blockedRequest([lent]);
  socket.write(early);
  await asked;
  channel.destroy();
  expect(lent.settled).toEqual([false]);
  await closeOf(channel);
});

test('whatever becomes of a channel, each owner is told once, and of nothing that comes later', async () => {
  const random = randomIntegers();
  const end = openEnd(); // One for all owners: thousands of rounds would fill the table.
  for (let round = 0; round < (isStress ? 2_000 : 25); round++) {
    const pair = channelPair({ serialization: 'raw', highWaterMark: 100_000 });
    const owners = [];
    const closed = pair.map(closeOf);
    for (const channel of pair) channel.onRequest((message, list) => (closeAll(list), Channel.reply(message, [own()])));
    const own = () => owners[owners.push(lendable(end)) - 1];
    const closeAll = (list) => list.forEach((descriptor) => descriptor.close());
    const size = () => [0, 10, 20_000, 300_000][random(4)];
    const actions = [
      (channel) => channel.send(Buffer.alloc(size()), [own()]),
      (channel) => channel.sent(Buffer.alloc(size()), [own(), own()]).catch(() => {}),
      (channel) => ask(channel, {}),
      (channel) => ask(channel, { timeout: 1 + random(5) }),
      (channel) => ask(channel, { signal: AbortSignal.timeout(random(5)) }),
      (channel) => channel.once('message', (_, list) => closeAll(list)),
      () => turn(),
    ];
    const ask = (channel, options) =>
      channel.request(Buffer.alloc(size()), { ...options, descriptors: [own()] }).then(
        ({ descriptors }) => closeAll(descriptors),
        () => {},
      );
    for (let i = random(60); i > 0; i--) {
      const outcome = actions[random(actions.length)](pair[random(2)]);
      if (random(5) === 0) await Promise.race([outcome, turn()]);
    }
    const [first, second] = [pair[round % 2], pair[1 - (round % 2)]];
    if (random(2) === 0) first.close();
    else first.destroy();
    for (const channel of pair) channel.removeAllListeners('message').on('message', (_, list) => closeAll(list));
    if (random(2) === 0) second.close();
    await Promise.all(closed);
    await turn();
    // A reply that could not be sent did not ask for its descriptors, or gave them back.
    expect(owners.filter(({ settled, asked }) => settled.length !== asked)).toEqual([]);
  }
});

test('a number may be closed as soon as it was sent', async () => {
  const [left, right] = channelPair();
  const fd = open('right');
  left.send('message', [fd]);
  fs.closeSync(fd);
  closing(Descriptor.from(open('wrong')));
  const [{ descriptors }] = await messagesOf(right, 1);
  expect(readAll(descriptors)).toEqual(['right']);
});

test('a number that is not open is refused, and the channel goes on', async () => {
  const [left, right] = channelPair();
  const lent = lendable();
  expect(() => left.send(1, [lent, 1_000_000])).toThrow(expect.objectContaining({ code: 'EBADF' }));
  await expect(left.request(1, { descriptors: [1_000_000] })).rejects.toMatchObject({ code: 'EBADF' });
  expect(lent.settled).toEqual([false]);
  left.send('fine');
  expect(await messagesOf(right, 1)).toMatchObject([{ message: 'fine' }]);
});

test('send() returns false while many descriptors wait for the peer', async () => {
  const [channel, socket] = channelAndSocket({ serialization: 'raw', highWaterMark: 100_000_000 });
  socket.pause();
  channel.send(BLOCK);
  const send = () => channel.send(Buffer.alloc(1), [0, 0, 0]);
  let count = 1;
  while (count < 1_000 && send()) count += 1;
  expect(count).toBeLessThan(20);
  const drained = once(channel, 'drain');
  socket.on('descriptors', (list) => list.forEach((descriptor) => descriptor.close()));
  socket.resume();
  await drained;
  expect(send()).toBe(true);
  await channel.close();
});

test('an owner that throws when it is told keeps nobody from an outcome', async () => {
  const { code, stdout } = await runFixture('channel/throwing_owner.js');
  expect({ code, stdout }).toEqual({
    code: 0,
    stdout: 'sent\nreply\nothers [[true],[true]]\nuncaught: 2\n',
  });
});
