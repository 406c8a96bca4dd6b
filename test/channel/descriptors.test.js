'use strict';

// Descriptors with messages, requests and replies: that they arrive with the right one, who
// closes them, and what their owner is told.

const { once } = require('node:events');
const fs = require('node:fs');
const path = require('node:path');
const { Channel } = require('../../lib/channel');
const { Descriptor, socketpair } = require('../../lib/descriptors');
const { runFixture } = require('../helpers/child');
const { channelAndSocket, channelPair, closeOf, frame, messagesOf, parseFrames } = require('../helpers/channels');
const { closing } = require('../helpers/closing');
const { temporaryFolder } = require('../helpers/socket_path');

// An open file whose contents are `text`.
function fileWith(text) {
  const file = path.join(temporaryFolder(), 'file');
  fs.writeFileSync(file, text);
  return closing(Descriptor.from(fs.openSync(file)));
}

function readAll(descriptors) {
  return descriptors.map((descriptor) => {
    const text = Buffer.alloc(100);
    const length = fs.readSync(descriptor.fd, text, 0, 100, 0);
    descriptor.close();
    return text.toString('utf8', 0, length);
  });
}

// What is asked for a descriptor, and notes what it is told.
function lendable() {
  const settled = [];
  const [end, other] = socketpair();
  other.close();
  closing(end);
  return { settled, [Symbol.for('pipewright.lend')]: () => ({ fd: end.fd, settle: (sent) => settled.push(sent) }) };
}

test.each(['json', 'advanced', 'raw'])('%s: each message has its own descriptors', async (serialization) => {
  const [left, right] = channelPair({ serialization });
  const make = (text) => (serialization === 'raw' ? Buffer.from(text) : text);
  left.send(make('none'));
  left.send(make('one'), [fileWith('1')]);
  left.send(make('none either'));
  left.send(make('three'), new Set(['2', '3', '4'].map(fileWith)));
  left.send(make('large'.repeat(50_000)), [fileWith('5'), fileWith('6')]);
  left.send(make('end'), []);
  const received = await messagesOf(right, 6);
  const list = received.map(({ message, descriptors }) => [String(message).slice(0, 11), readAll(descriptors)]);
  expect(list).toEqual([
    ['none', []],
    ['one', ['1']],
    ['none either', []],
    ['three', ['2', '3', '4']],
    ['largelargel', ['5', '6']],
    ['end', []],
  ]);
});

test('thousands of messages with and without descriptors keep theirs', async () => {
  const [left, right] = channelPair();
  const files = Array.from({ length: 10 }, (_, i) => fileWith(String(i)));
  const expected = [];
  (async () => {
    for (let i = 0; i < 3_000; i++) {
      const chosen = i % 3 === 0 ? files.slice(i % 10, (i % 10) + (i % 4)) : [];
      const text = 'x'.repeat((i * 37) % 3_000);
      expected.push([text.length, chosen.length, i % 10]);
      if (!left.send(text, chosen, { keep: true })) await once(left, 'drain');
    }
  })();
  for (let i = 0; i < 3_000; i++) {
    const [{ message, descriptors }] = await messagesOf(right, 1);
    const [length, count, first] = expected[i];
    expect([message.length, descriptors.length]).toEqual([length, count]);
    if (i % 50 === 0) expect(readAll(descriptors)[0] ?? '').toBe(count > 0 ? String(first) : '');
    for (const descriptor of descriptors) descriptor.close();
  }
});

test('requests and replies carry descriptors', async () => {
  const [left, right] = channelPair();
  right.onRequest((message, descriptors) => Channel.reply(readAll(descriptors), [fileWith('back')]));
  const { message, descriptors } = await left.request('question', { descriptors: [fileWith('there')] });
  expect([message, readAll(descriptors)]).toEqual([['there'], ['back']]);
  right.onRequest(() => Channel.reply('without'));
  expect(await left.request('again')).toEqual({ message: 'without', descriptors: [] });
});

test('what is ours is closed once it was sent, unless it is to be kept', async () => {
  const [left, right] = channelPair();
  const [given, kept] = [fileWith('given'), fileWith('kept')];
  await left.sent(1, [given]);
  await left.sent(2, [kept], { keep: true });
  expect([given.isOpen, kept.isOpen]).toEqual([false, true]);
  const received = await messagesOf(right, 2);
  expect(received.map(({ descriptors }) => readAll(descriptors))).toEqual([['given'], ['kept']]);
});

describe('the owner is told once', () => {
  test('of a message: when the kernel has it', async () => {
    const [left, right] = channelPair();
    const lent = lendable();
    await left.sent(1, [lent]);
    expect(lent.settled).toEqual([true]);
    await messagesOf(right, 1).then(([{ descriptors }]) => descriptors[0].close());
    right.destroy();
    await closeOf(left);
    expect(lent.settled).toEqual([true]);
  });

  test('of a request: when its reply has come', async () => {
    const [left, right] = channelPair();
    const [lent, failed] = [lendable(), lendable()];
    let answer;
    right.onRequest((_, [descriptor]) => {
      descriptor.close();
      return new Promise((resolve, reject) => (answer = { resolve, reject }));
    });
    const asked = left.request(1, { descriptors: [lent] });
    while (answer === undefined) await new Promise(setImmediate);
    expect(lent.settled).toEqual([]);
    answer.resolve();
    await asked;
    expect(lent.settled).toEqual([true]);
    answer = undefined;
    const again = left.request(2, { descriptors: [failed] });
    while (answer === undefined) await new Promise(setImmediate);
    answer.reject(new Error('no')); // It had it, all the same.
    await expect(again).rejects.toMatchObject({ code: 'ERR_CHANNEL_REQUEST_FAILED' });
    expect(failed.settled).toEqual([true]);
  });

  test('of a request that was given up: when the kernel has it', async () => {
    const [left, right] = channelPair();
    const [lent, late] = [lendable(), lendable()];
    const controller = new AbortController();
    const asked = left.request(1, { descriptors: [lent], signal: controller.signal });
    controller.abort();
    await expect(asked).rejects.toMatchObject({ name: 'AbortError' });
    await left.sent('behind');
    expect(lent.settled).toEqual([true]);
    const other = new AbortController();
    const again = left.request(2, { descriptors: [late], signal: other.signal });
    await left.sent('behind');
    expect(late.settled).toEqual([]);
    other.abort();
    await expect(again).rejects.toMatchObject({ name: 'AbortError' });
    expect(late.settled).toEqual([true]);
    right.destroy();
  });

  test('of what was not sent when the channel closed: that it was not', async () => {
    const [left, right] = channelPair({ serialization: 'raw' });
    const lent = [lendable(), lendable(), lendable()];
    left.send(Buffer.alloc(3_000_000));
    left.send(Buffer.from('x'), [lent[0]]);
    const asked = left.request(Buffer.from('x'), { descriptors: [lent[1]] });
    left.destroy();
    await expect(asked).rejects.toMatchObject({ code: 'ERR_CHANNEL_CLOSED' });
    expect(() => left.send(Buffer.from('x'), [lent[2]])).toThrow('The channel is closed');
    await closeOf(right);
    expect(lent.map(({ settled }) => settled)).toEqual([[false], [false], []]);
  });

  test('of a request whose peer dies before it replies: that it was not', async () => {
    const [left, right] = channelPair();
    const lent = lendable();
    const asked = left.request(1, { descriptors: [lent] });
    await left.sent('behind');
    right.destroy();
    await expect(asked).rejects.toBeInstanceOf(Error);
    expect(lent.settled).toEqual([false]);
  });

  test('of a message that is refused: that it was not sent', async () => {
    const [left] = channelPair({ maxMessageBytes: 10 });
    const lent = lendable();
    expect(() => left.send('x'.repeat(100), [lent])).toThrow('A message of 102 bytes');
    await expect(left.request('x'.repeat(100), { descriptors: [lent] })).rejects.toThrow('A message of 102 bytes');
    expect(() => left.send(1, [lent, 'nothing'])).toThrow(expect.objectContaining({ code: 'ERR_INVALID_ARG_TYPE' }));
    expect(lent.settled).toEqual([false, false, false]);
  });

  test('of a reply that cannot be sent: that it was not', async () => {
    const [left, right] = channelPair();
    const lent = lendable();
    let answer;
    right.onRequest(() => new Promise((resolve) => (answer = resolve)));
    left.request(1).catch(() => {});
    while (answer === undefined) await new Promise(setImmediate);
    right.destroy();
    answer(Channel.reply(1, [lent]));
    await new Promise(setImmediate);
    expect(lent.settled).toEqual([]); // It was never asked for.
  });
});

test.each([
  [33, 'ERR_OUT_OF_RANGE'],
  ['text', 'ERR_INVALID_ARG_TYPE'],
  [{}, 'ERR_INVALID_ARG_TYPE'],
  [{ [Symbol.iterator]: () => ({ next: () => ({ value: 0 }) }) }, 'ERR_OUT_OF_RANGE'],
])('descriptors that are %p are refused', (list, code) => {
  const [left] = channelPair();
  const descriptors = typeof list === 'number' ? new Array(list).fill(0) : list;
  expect(() => left.send(1, descriptors)).toThrow(expect.objectContaining({ code }));
  expect(() => Channel.reply(1, descriptors)).toThrow(expect.objectContaining({ code }));
});

test('32 descriptors arrive', async () => {
  const [left, right] = channelPair();
  left.send(1, new Array(32).fill(fileWith('many').fd));
  const [{ descriptors }] = await messagesOf(right, 1);
  expect(readAll(descriptors)).toEqual(new Array(32).fill('many'));
});

test('those that nobody has taken are closed with the channel', async () => {
  const [left, right] = channelPair();
  const [end, other] = socketpair();
  const watcher = closing(other.toSocket());
  await left.sent('message', [end]);
  left.request('request', { descriptors: [fileWith('x')] }).catch(() => {});
  while (right.stats().held < 2) await new Promise(setImmediate);
  right.destroy();
  await once(watcher.resume(), 'end'); // The last copy of its peer is closed.
});

test('those of a reply that nobody waits for are closed', async () => {
  const [channel, socket] = channelAndSocket();
  const [end, other] = socketpair();
  const watcher = closing(other.toSocket());
  socket.sendDescriptors([end], frame('reply', '1', { id: 77, descriptors: 1 }));
  await once(watcher.resume(), 'end');
  expect(channel.isOpen).toBe(true);
});

describe('counts', () => {
  const payload = '"text"';
  const whole = (descriptors) => frame('message', payload, { descriptors });

  test.each([
    ['the last byte', 1],
    ['the last bytes', 3],
    ['the first byte', whole(2).length],
  ])('descriptors that ride on %s of their frame are taken', async (_, fromEnd) => {
    const [channel, socket] = channelAndSocket();
    const bytes = Buffer.concat([whole(0), whole(2)]);
    socket.write(bytes.subarray(0, -fromEnd));
    socket.sendDescriptors([0, 1], Buffer.concat([bytes.subarray(-fromEnd), whole(0)]));
    const received = await messagesOf(channel, 3);
    expect(received.map(({ descriptors }) => descriptors.length)).toEqual([0, 2, 0]);
    received[1].descriptors.forEach((descriptor) => descriptor.close());
  });

  test.each([
    ['none came', 1, 0, /counts 1 descriptors, and 0 came/],
    ['too few came', 2, 1, /counts 2 descriptors, and 1 came/],
    ['too many came', 1, 2, /counts 1 descriptors, and 2 came/],
    ['some came and none were counted', 0, 1, /descriptors that no frame counts/],
  ])('the channel ends where %s, and those that came are closed', async (_, counted, sent, text) => {
    const [channel, socket] = channelAndSocket();
    socket.write(whole(0));
    const [end, other] = socketpair();
    const watcher = closing(other.toSocket());
    if (sent === 0) socket.write(whole(counted));
    else socket.sendDescriptors(sent === 1 ? [end] : [end, 0], whole(counted));
    channel.on('message', () => {});
    const reason = await closeOf(channel);
    expect(reason).toMatchObject({ code: 'ERR_CHANNEL_PROTOCOL', message: expect.stringMatching(text) });
    if (sent === 0) end.close();
    await once(watcher.resume(), 'end');
  });

  test('a frame with more than maxDescriptors ends the channel', async () => {
    const [channel, socket] = channelAndSocket({ maxDescriptors: 1 });
    socket.sendDescriptors([0, 1], whole(2));
    expect(await closeOf(channel)).toMatchObject({ code: 'ERR_DESCRIPTORS_TOO_MANY' });
  });

  test('with maxDescriptors 0 none can arrive, and messages do', async () => {
    const [channel, socket] = channelAndSocket({ maxDescriptors: 0 });
    socket.write(whole(0));
    socket.write(frame('message', JSON.stringify('x'.repeat(500_000))));
    const received = await messagesOf(channel, 2);
    expect(received.map(({ message }) => message.length)).toEqual([4, 500_000]);
    socket.on('error', () => {});
    socket.sendDescriptors([0], whole(1)); // EPERM since Linux 6.16; before, the kernel drops it.
    channel.on('message', () => {});
    socket.end();
    expect((await closeOf(channel)).code).toMatch(/ERR_DESCRIPTORS_TOO_MANY|ERR_CHANNEL_ENDED/);
  });

  test('ours ride on the last byte, in the order of all frames', async () => {
    const [channel, socket] = channelAndSocket();
    let bytes = Buffer.alloc(0);
    const places = [];
    socket.on('descriptors', (list) => {
      list.forEach((descriptor) => descriptor.close());
      places.push(bytes.length);
    });
    socket.on('data', (chunk) => (bytes = Buffer.concat([bytes, chunk])));
    await Promise.all([channel.sent('a'), channel.sent('b', [0]), channel.sent('c'), channel.sent('d', [0, 1])]);
    while (bytes.length < 4 * 11) await new Promise(setImmediate);
    expect(parseFrames(bytes).frames.map(({ descriptors }) => descriptors)).toEqual([0, 1, 0, 2]);
    // The kernel delivers them with the read that has their byte.
    expect(places).toHaveLength(2);
  });
});

test('a full table of descriptors loses none', async () => {
  const outcome = await runFixture('channel/full_table.js', [], { openFiles: 60 });
  expect(outcome).toMatchObject({ code: 0, stderr: '' });
  const { came, wrong, tableWaits } = JSON.parse(outcome.stdout);
  expect([came, wrong]).toEqual([600, []]);
  expect(tableWaits).toBeGreaterThan(0);
});
