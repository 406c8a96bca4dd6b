'use strict';

// Frames, cut anywhere, and what a peer may send that is none.

const { once } = require('node:events');
const { Channel } = require('../../lib/channel');
const { socketpair } = require('../../lib/descriptors');
const { channelAndSocket, channelPair, closeOf, frame, messagesOf, parseFrames } = require('../helpers/channels');
const { closing } = require('../helpers/closing');
const { FrameReader } = require('../../lib/channel/framing');

// Reads whole frames from chunks of a stream.
function readerOf(limits) {
  const frames = [];
  const reader = new FrameReader(
    { maxMessageBytes: 1_000, maxDescriptors: 32, ...limits },
    (kind, encoding, id, bytes, start, end, isOwn, descriptors = []) => {
      frames.push([kind, id, bytes.toString('latin1', start, end), ...descriptors]);
      return undefined;
    },
  );
  return { frames, reader };
}

const STREAM = Buffer.concat([
  frame('message', '"one"'),
  frame('request', '"two"', { id: 2 ** 32 - 1 }),
  frame('message'),
  frame('reply', '', { id: 1 }),
  frame('message', '"with"', { descriptors: 2 }),
  frame('message', '"after"'),
  frame('message', '', { descriptors: 1 }),
]);
const LISTS = new Map([
  [STREAM.indexOf('"with"') + 5, ['a', 'b']], // By the byte that they come with.
  [STREAM.length - 1, ['c']],
]);
const FRAMES = [
  [1, 0, '"one"'],
  [2, 2 ** 32 - 1, '"two"'],
  [1, 0, ''],
  [3, 1, ''],
  [1, 0, '"with"', 'a', 'b'],
  [1, 0, '"after"'],
  [1, 0, '', 'c'],
];

test('a stream that is cut at any two bytes gives the same frames', () => {
  for (let first = 0; first <= STREAM.length; first++) {
    for (let second = first; second <= STREAM.length; second++) {
      const { frames, reader } = readerOf();
      let start = 0;
      // The kernel ends a read behind what has descriptors.
      for (const end of [first, second, ...LISTS.keys(), STREAM.length].sort((a, b) => a - b)) {
        for (const [at, list] of LISTS) if (start <= at && at < end) reader.addDescriptors(list);
        expect(reader.read(STREAM, start, end)).toBeUndefined();
        start = end;
      }
      expect(frames).toEqual(FRAMES);
      expect(reader.isBetweenFrames).toBe(true);
    }
  }
});

test('a stream that comes byte by byte, with its descriptors, gives the same messages', async () => {
  const [channel, socket] = channelAndSocket();
  const bytes = Buffer.concat([
    frame('message', '"one"'),
    frame('message', '"two"', { descriptors: 1 }),
    frame('close'),
  ]);
  const last = bytes.length - 8 - 1;
  const received = messagesOf(channel, 2);
  for (let i = 0; i < bytes.length; i++) {
    const byte = bytes.subarray(i, i + 1);
    if (i === last) socket.sendDescriptors([0], byte);
    else socket.write(byte);
    while (channel.isOpen && channel.stats().bytesRead <= i) await new Promise(setImmediate);
  }
  const [one, two] = await received;
  expect([one, two].map(({ message, descriptors }) => [message, descriptors.length])).toEqual([
    ['one', 0],
    ['two', 1],
  ]);
  two.descriptors[0].close();
});

test.each([0, 1, 8, 65_535, 65_536, 65_537, 65_536 * 3, 1_000_000])(
  'a message of about %d bytes arrives',
  async (size) => {
    const [left, right] = channelPair({ serialization: 'raw' });
    const sizes = [size, 1, Math.max(size - 1, 0), 0, size + 1];
    for (const [i, length] of sizes.entries()) left.send(Buffer.alloc(length, i + 1), i % 2 ? [0] : undefined);
    const received = await messagesOf(right, sizes.length);
    for (const [i, { message, descriptors }] of received.entries()) {
      expect(message.equals(Buffer.alloc(sizes[i], i + 1))).toBe(true);
      expect(descriptors).toHaveLength(i % 2);
      descriptors.forEach((descriptor) => descriptor.close());
    }
  },
);

const PROTOCOL = 'ERR_CHANNEL_PROTOCOL';

test('descriptors that come with the last frame are closed', async () => {
  const [channel, socket] = channelAndSocket();
  const [end, other] = socketpair();
  const watcher = closing(other.toSocket());
  socket.sendDescriptors([end], frame('close', '', { descriptors: 1 }));
  expect(await closeOf(channel)).toBe(null);
  await once(watcher.resume(), 'end');
});

describe('the memory of a frame', () => {
  const header = (length) => {
    const bytes = frame('message', '', { encoding: 'raw' });
    bytes.writeUInt32LE(length);
    return bytes;
  };
  const HUGE = { serialization: 'raw', maxMessageBytes: 2 ** 31 - 1 };

  test('grows with what comes, not with what is announced', async () => {
    const allocate = jest.spyOn(Buffer, 'allocUnsafeSlow');
    const [channel, socket] = channelAndSocket(HUGE);
    socket.write(header(2 ** 31 - 1));
    for (let i = 0; i < 20; i++) socket.write(Buffer.alloc(1_000_000));
    while (channel.stats().bytesRead < 20_000_008) await new Promise(setImmediate);
    const sizes = allocate.mock.calls.map(([size]) => size);
    allocate.mockRestore();
    expect(Math.max(...sizes)).toBeLessThan(80_000_000);
    socket.destroy();
    expect(await closeOf(channel)).toMatchObject({ code: 'ERR_CHANNEL_TRUNCATED' });
  });

  test('that cannot be allocated ends the channel with an error', async () => {
    const allocate = jest.spyOn(Buffer, 'allocUnsafeSlow').mockImplementation((size) => {
      if (size > 5_000_000) throw new RangeError('Array buffer allocation failed');
      return Buffer.alloc(size);
    });
    const [channel, socket] = channelAndSocket(HUGE);
    const closed = closeOf(channel);
    socket.write(header(2 ** 31 - 1));
    for (let i = 0; i < 6; i++) socket.write(Buffer.alloc(1_000_000));
    const reason = await closed;
    allocate.mockRestore();
    expect(reason).toMatchObject({ code: 'ERR_CHANNEL_UNDECODABLE', cause: { name: 'RangeError' } });
  });

  test.each([2 ** 22 - 1, 2 ** 22, 2 ** 22 + 1, 2 ** 24, 2 ** 24 + 65_537])('holds %d bytes', async (size) => {
    const [left, right] = channelPair({ serialization: 'raw' });
    const message = Buffer.alloc(size, 'abcdefghijk');
    right.onRequest((bytes) => bytes);
    left.send(message, [0]);
    const [{ message: came, descriptors }] = await messagesOf(right, 1);
    descriptors[0].close();
    const reply = await left.request(message);
    expect([came.equals(message), reply.message.equals(message)]).toEqual([true, true]);
  });
});

describe('advanced: many messages in one frame', () => {
  const message = (i) => ({ i, text: 'x'.repeat(900) });

  test('are measured one by one', async () => {
    const ends = socketpair();
    const sender = closing(new Channel(ends[0], { serialization: 'advanced' }));
    const receiver = closing(new Channel(ends[1], { serialization: 'advanced', maxMessageBytes: 1_000 }));
    for (let i = 0; i < 200; i++) sender.send(message(i));
    const came = await messagesOf(receiver, 200);
    expect(came.map((one) => one.message)).toEqual(Array.from({ length: 200 }, (_, i) => message(i)));
    sender.send({ text: 'x'.repeat(1_100) });
    expect(await closeOf(receiver)).toMatchObject({ code: 'ERR_CHANNEL_MESSAGE_TOO_LARGE' });
  });

  test.each([100, 4_095, 4_096, 4_097, 65_536])('a sender whose maxMessageBytes is %d keeps to it', async (max) => {
    const [left, right] = channelPair({ serialization: 'advanced', maxMessageBytes: max });
    let sent = 0;
    for (let size = 1; size <= max + 100; size += 97) {
      try {
        left.send({ text: 'x'.repeat(size) });
        sent += 1;
      } catch (error) {
        expect(error.code).toBe('ERR_CHANNEL_MESSAGE_TOO_LARGE');
      }
    }
    expect(sent).toBeGreaterThan(0);
    expect(await messagesOf(right, sent)).toHaveLength(sent);
  });

  test('a frame of them is small, whatever one message may be', async () => {
    const [channel, socket] = channelAndSocket({ serialization: 'advanced' });
    socket.write(frame('records', Buffer.alloc(70_000), { encoding: 'advanced' }));
    expect(await closeOf(channel)).toMatchObject({ code: 'ERR_CHANNEL_MESSAGE_TOO_LARGE' });
  });
});

describe('a peer that breaks the rules ends the channel', () => {
  test.each([
    ['sends text', Buffer.from('GET / HTTP/1.1\r\n\r\n'), 'ERR_CHANNEL_MESSAGE_TOO_LARGE'],
    ['sends a frame of an unknown kind', frame(7, '""'), PROTOCOL],
    ['sends a frame of kind 0', frame(0, '""'), PROTOCOL],
    ['uses the byte that is to be 0', frame('message', '""', { last: 1 }), PROTOCOL],
    ['sends a request with no room for its id', frame(2, 'abc'), PROTOCOL],
    ['uses another serialization', frame('message', '""', { encoding: 'raw' }), PROTOCOL],
    ['sends records in JSON', frame('records', '[]'), PROTOCOL],
    ['sends what is no JSON', frame('message', '{"a":'), 'ERR_CHANNEL_UNDECODABLE'],
    ['sends an error that is no JSON', frame('error', '{', { id: 1 }), 'ERR_CHANNEL_UNDECODABLE'],
    [
      'counts more descriptors than there can be',
      frame('message', '""', { descriptors: 33 }),
      'ERR_DESCRIPTORS_TOO_MANY',
    ],
    ['ends in a header', frame('message', '""').subarray(0, 5), 'ERR_CHANNEL_TRUNCATED'],
    ['ends in a message', frame('message', '"text"').subarray(0, -1), 'ERR_CHANNEL_TRUNCATED'],
    ['ends in a large message', frame('message', 'x'.repeat(300_000)).subarray(0, -1), 'ERR_CHANNEL_TRUNCATED'],
    ['ends without closing', Buffer.alloc(0), 'ERR_CHANNEL_ENDED'],
  ])('it %s', async (_, bytes, code) => {
    const [channel, socket] = channelAndSocket();
    const messages = [];
    channel.on('message', (message) => messages.push(message));
    socket.end(Buffer.concat([frame('message', '"good"'), bytes]));
    expect(await closeOf(channel)).toMatchObject({ code });
    expect(messages).toEqual(['good']);
  });

  test.each([
    ['a count and nothing more', Buffer.from([9, 0, 0, 0])],
    ['no count', Buffer.from([1])],
    ['a record of an unknown kind', Buffer.from([1, 0, 0, 0, 0xff, 15, 4, 0, 0x30])],
    ['a value of nothing known', Buffer.from([1, 0, 0, 0, 0xff, 15, 1, 0xee])],
  ])('advanced: records with %s', async (_, payload) => {
    const [channel, socket] = channelAndSocket({ serialization: 'advanced' });
    socket.write(frame('records', payload, { encoding: 'advanced' }));
    expect((await closeOf(channel)).code).toMatch(/ERR_CHANNEL_(PROTOCOL|UNDECODABLE)/);
  });

  test('it announces more than maxMessageBytes: nothing is allocated', async () => {
    const [channel, socket] = channelAndSocket({ maxMessageBytes: 100 });
    const before = process.memoryUsage().arrayBuffers;
    const header = frame('request', '', { id: 0 }).subarray(0, 8);
    header.writeUInt32LE(2 ** 32 - 1);
    socket.write(header);
    const reason = await closeOf(channel);
    expect(reason.message).toBe('A message of 4294967295 bytes, where 100 are allowed');
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(50_000_000);
  });

  test('a message of maxMessageBytes arrives, also with an id; one byte more does not', async () => {
    const [channel, socket] = channelAndSocket({ maxMessageBytes: 6, serialization: 'raw' });
    channel.onRequest((message) => message);
    socket.write(frame('request', '123456', { id: 1, encoding: 'raw' }));
    const [chunk] = await once(socket, 'data');
    expect(String(parseFrames(chunk).frames[0].payload)).toBe('123456');
    socket.write(frame('message', '1234567', { encoding: 'raw' }));
    expect((await closeOf(channel)).code).toBe('ERR_CHANNEL_MESSAGE_TOO_LARGE');
  });
});

test('what comes behind the end of a channel is not looked at', async () => {
  const [ours, theirs] = socketpair();
  const socket = closing(theirs.toSocket());
  socket.write(Buffer.concat([frame('message', '1'), frame('close'), frame(9), frame('message', '2')]));
  const channel = closing(new Channel(ours));
  const messages = [];
  channel.on('message', (message) => messages.push(message));
  expect(await closeOf(channel)).toBe(null);
  expect(messages).toEqual([1]);
});
