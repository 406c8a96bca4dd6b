'use strict';

// The decoders of Node's channel against inputs that fast-check makes up: whole messages, cut
// anywhere, and streams that were damaged. PIPEWRIGHT_STRESS=1 makes it a million of those.

const fc = require('fast-check');
const advanced = require('../../lib/child_process/ipc/advanced');
const json = require('../../lib/child_process/ipc/json');
const { Parts } = require('../../lib/child_process/ipc/parts');
const { cutsOf, damage, damages, endsOf, settings } = require('../helpers/properties');
const { allowHours, isStress } = require('../helpers/stress');

allowHours();
const DAMAGED = isStress ? 500_000 : 2_000; // Of each serialization.
const WHOLE = isStress ? 50_000 : 500;
const MAX = 500; // Of the bytes of a message.

const VALUES = {
  json: fc.jsonValue({ maxDepth: 2 }),
  advanced: fc.oneof(
    fc.jsonValue({ maxDepth: 2 }),
    fc.object({ withDate: true, withMap: true, withBigInt: true, withTypedArray: true, maxDepth: 1 }),
  ),
};

/** What comes of the bytes in such pieces: [message, where it ended], or the name of an error. */
function decode({ Decoder }, bytes, cuts, max) {
  const got = [];
  let at = 0;
  const decoder = new Decoder(
    max,
    (message, end) => got.push([message, at + end]),
    (error, end) => got.push([error.name, at + end]),
  );
  try {
    for (const end of endsOf(cuts, bytes.length)) {
      decoder.push(bytes.subarray(at, end));
      at = end;
    }
  } catch (error) {
    if (error.code !== 'ERR_IPC_MESSAGE_TOO_LONG') throw error;
    got.push('too long');
  }
  return { got, isWithin: decoder.isWithin };
}

describe.each([
  ['json', json],
  ['advanced', advanced],
])('%s', (name, codec) => {
  const messages = fc.array(VALUES[name], { minLength: 1, maxLength: 6 });
  const bytesOf = (list) => Buffer.concat(list.map((message) => Buffer.from(codec.encode(message))));

  test('whole messages come out as they went in, however they are cut', () => {
    fc.assert(
      fc.property(messages, cutsOf, (list, cuts) => {
        const { got, isWithin } = decode(codec, bytesOf(list), cuts, 1_000_000);
        expect(got.map(([message]) => message)).toEqual(name === 'json' ? list.map(throughJson) : list);
        expect(isWithin).toBe(false);
      }),
      settings(WHOLE),
    );
  });

  test('of damaged ones come messages or errors, the same however they are cut', () => {
    fc.assert(
      fc.property(messages, damages, cutsOf, (list, harm, cuts) => {
        const bytes = damage(bytesOf(list), harm);
        const whole = decode(codec, bytes, [], MAX);
        const inPieces = decode(codec, bytes, cuts, MAX);
        expect(inPieces.got.map(([, end]) => end)).toEqual(whole.got.map(([, end]) => end));
        expect(inPieces.isWithin || inPieces.got.at(-1) === 'too long').toBe(
          whole.isWithin || whole.got.at(-1) === 'too long',
        );
      }),
      settings(DAMAGED),
    );
  });
});

const throughJson = (value) => JSON.parse(JSON.stringify(value));

test('a message that comes byte by byte takes little more memory than its bytes', () => {
  const COUNT = 1_000_000;
  const parts = new Parts();
  const byte = Buffer.from('x');
  const before = process.memoryUsage();
  for (let i = 0; i < COUNT; i++) parts.push(byte.subarray());
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  expect(heapUsed - before.heapUsed + arrayBuffers - before.arrayBuffers).toBeLessThan(40 * COUNT);
  expect(parts.take().equals(Buffer.alloc(COUNT, 'x'))).toBe(true);
  expect(parts.length).toBe(0);
});
