'use strict';

// The decoder against inputs that fast-check makes up: whole streams, cut anywhere, and
// streams that were damaged. PIPEWRIGHT_STRESS=1 makes it a million of the damaged ones.

const { isDeepStrictEqual } = require('node:util');
const v8 = require('node:v8');
const fc = require('fast-check');
const { Decoder, END } = require('../../lib/channel/decoder');
const { MAX_RECORDS_BYTES, MESSAGE, REPLY, REQUEST } = require('../../lib/channel/framing');
const { channelAndSocket, closeOf, frame } = require('../helpers/channels');
const { cutsOf, damage, damages, endsOf, settings } = require('../helpers/properties');
const { randomIntegers } = require('../helpers/random');
const { allowHours, isStress } = require('../helpers/stress');

allowHours();
const DAMAGED = isStress ? 350_000 : 2_000; // Of each serialization.
const WHOLE = isStress ? 20_000 : 500;
const MAX = 500; // Of the bytes of a message.

const KINDS = { message: MESSAGE, request: REQUEST, reply: REPLY };

const write = { json: JSON.stringify, advanced: v8.serialize, raw: (bytes) => bytes };
const read = { json: JSON.parse, advanced: v8.deserialize, raw: (bytes) => Buffer.from(bytes) };

const values = {
  json: fc.jsonValue({ maxDepth: 2 }),
  advanced: fc.oneof(
    fc.jsonValue({ maxDepth: 2 }),
    fc.object({ withDate: true, withMap: true, withBigInt: true, maxDepth: 1 }),
  ),
  raw: fc.uint8Array({ maxLength: 200 }),
};

// An invalid Date of Node 20 is not even equal to itself.
const isFit = (serialization, bytes) =>
  Buffer.byteLength(bytes) <= MAX && isDeepStrictEqual(read[serialization](bytes), read[serialization](bytes));

function framesOf(serialization) {
  const one = fc.record({
    kind: fc.constantFrom(...Object.keys(KINDS)),
    id: fc.nat(2 ** 32 - 1),
    payload: values[serialization].map(write[serialization]).filter((bytes) => isFit(serialization, bytes)),
    descriptors: fc.oneof({ weight: 3, arbitrary: fc.constant(0) }, fc.integer({ min: 1, max: 32 })),
  });
  return fc.array(one, { minLength: 1, maxLength: 6 });
}

const bytesOf = (serialization, { kind, id, payload, descriptors }) =>
  frame(kind, payload, { id: kind === 'message' ? undefined : id, encoding: serialization, descriptors });

// Descriptors that note whether they were closed.
const fakeDescriptors = (count) =>
  Array.from({ length: count }, () => ({
    isOpen: true,
    close() {
      this.isOpen = false;
    },
  }));

// Feeds a stream in such pieces. Each piece is at a place that is written over afterwards, as
// a slab is.
function decode(serialization, bytes, cuts, lists) {
  const messages = [];
  const given = [];
  const decoder = new Decoder({ serialization, maxMessageBytes: MAX, maxDescriptors: 32 }, (kind, id, message, list) =>
    messages.push({ kind, id, message, count: list.length }),
  );
  let at = 0;
  let outcome;
  for (const end of endsOf(cuts, bytes.length, lists.keys())) {
    const slab = Buffer.concat([Buffer.from('before'), bytes.subarray(at, end), Buffer.from('after')]);
    if (lists.has(end)) {
      decoder.addDescriptors(lists.get(end));
      given.push(...lists.get(end));
    }
    outcome = decoder.read(slab, 6, 6 + end - at);
    slab.fill(0xaa);
    at = end;
    if (outcome !== undefined) break;
  }
  decoder.takeDescriptors().forEach((descriptor) => descriptor.close());
  return { messages, outcome, decoder, given };
}

describe.each(Object.keys(values))('%s', (serialization) => {
  test('whole frames come out as they went in, however they are cut', () => {
    fc.assert(
      fc.property(framesOf(serialization), cutsOf, (frames, cuts) => {
        let length = 0;
        const lists = new Map();
        for (const one of frames) {
          length += bytesOf(serialization, one).length;
          if (one.descriptors > 0) lists.set(length, fakeDescriptors(one.descriptors));
        }
        const bytes = Buffer.concat(frames.map((one) => bytesOf(serialization, one)));
        const { messages, outcome, decoder } = decode(serialization, bytes, cuts, lists);
        expect([outcome, decoder.isBetweenFrames]).toEqual([undefined, true]);
        const expected = frames.map(({ kind, id, payload, descriptors }) => ({
          kind: KINDS[kind],
          id: kind === 'message' ? 0 : id,
          message: read[serialization](payload),
          count: descriptors,
        }));
        // Jest's toEqual() threw a TypeError of its own at one of these.
        expect(isDeepStrictEqual(messages, expected)).toBe(true);
      }),
      settings(WHOLE),
    );
  });

  const inputs = fc.oneof(
    {
      weight: 4,
      arbitrary: fc
        .tuple(framesOf(serialization), damages)
        .map(([frames, list]) => damage(Buffer.concat(frames.map((one) => bytesOf(serialization, one))), list)),
    },
    { weight: 1, arbitrary: fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes)) },
    {
      weight: 1,
      arbitrary: fc
        .uint8Array({ maxLength: 100 })
        .map((bytes) =>
          frame('records', Buffer.concat([Buffer.from([2, 0, 0, 0, 0xff, 15]), bytes]), { encoding: serialization }),
        ),
    },
  );

  const someLists = fc.array(fc.tuple(fc.nat(), fc.integer({ min: 1, max: 33 })), { maxLength: 2 });

  test('damaged streams give messages, an end or an error with a code, and keep to the limits', () => {
    const allocate = jest.spyOn(Buffer, 'allocUnsafeSlow');
    let largest = 0;
    const check = (bytes, cuts, places) => {
      const lists = new Map(places.map(([at, count]) => [at % (bytes.length + 1), fakeDescriptors(count)]));
      const { messages, outcome, given } = decode(serialization, bytes, cuts, lists);
      const isKnown = outcome === undefined || outcome === END || /^ERR_(CHANNEL|DESCRIPTORS)_/.test(outcome.code);
      if (!isKnown) throw outcome;
      // What came went to a message, or was closed.
      const delivered = messages.reduce((sum, { count }) => sum + count, 0);
      const open = given.filter(({ isOpen }) => isOpen).length;
      if (open !== delivered) throw new Error(`${open} are open, ${delivered} were delivered`);
      for (const [size] of allocate.mock.calls) largest = Math.max(largest, size);
      allocate.mockClear();
    };
    fc.assert(fc.property(inputs, cutsOf, someLists, check), settings(DAMAGED));
    allocate.mockRestore();
    expect(largest).toBeLessThanOrEqual(Math.max(MAX + 4, MAX_RECORDS_BYTES));
  });
});

test('a channel that gets damaged streams ends or goes on, and leaves nothing', async () => {
  const next = randomIntegers();
  for (let i = 0; i < (isStress ? 2_000 : 50); i++) {
    const [channel, socket] = channelAndSocket();
    const messages = [];
    channel.on('message', (message) => messages.push(message));
    const bytes = Buffer.concat([frame('message', '"good"'), frame('message', JSON.stringify('x'.repeat(next(200))))]);
    bytes[14 + next(bytes.length - 14)] = next(256);
    socket.end(bytes);
    await closeOf(channel);
    socket.destroy();
    expect(messages[0]).toBe('good');
  }
});
