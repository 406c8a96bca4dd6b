'use strict';

// Arguments for the fuzz, right and wrong. No number in here is an open descriptor.

const WRONG = [
  undefined,
  null,
  true,
  NaN,
  -1,
  1.5,
  2 ** 31,
  -(2 ** 31) - 1,
  2 ** 53,
  Infinity,
  '',
  'x\0y',
  'nonsense',
  'x'.repeat(5000),
  Symbol('s'),
  10n,
  {},
  [],
  [null],
  () => {},
  new Date(0),
  new ArrayBuffer(8),
  new Map(),
  new Proxy({}, {}),
  new Proxy([], {}),
  Object.create(null),
  Object.freeze({ fd: -1 }),
  Object.freeze({ path: 7 }),
];

/** A Buffer whose memory was transferred away. */
function detachedBuffer() {
  const bytes = Buffer.from(new ArrayBuffer(64 * 1024));
  detach(bytes);
  return bytes;
}

function detach(bytes) {
  structuredClone(null, { transfer: [bytes.buffer] });
}

const SIZES = [0, 1, 2, 100, 4096, 4097, 65_536, 300_000];

/** Arguments by kind; `random(below)` gives the numbers. */
class Values {
  constructor(random) {
    this.random = random;
  }

  chance(one) {
    return this.random(one) === 0;
  }

  one(list) {
    return list[this.random(list.length)];
  }

  wrong() {
    if (this.chance(12)) return detachedBuffer();
    return this.one(WRONG);
  }

  /** `value` nearly always, and otherwise something wrong. */
  maybe(value) {
    return this.chance(15) ? this.wrong() : value;
  }

  flag() {
    return this.chance(2);
  }

  bytes() {
    return Buffer.from(new ArrayBuffer(this.one(SIZES)));
  }

  text() {
    return this.one(['', 'x', 'ä€😀', '\ud800', 'text '.repeat(5000)]);
  }

  /** A list of Buffers; now and then one whose getters do harm while it is read. */
  buffers() {
    const list = Array.from({ length: this.random(6) }, () => this.bytes());
    if (list.length < 2 || !this.chance(4)) return list;
    const { length } = list;
    const harm = this.one([
      () => detach(list[0]),
      () => (list.length = 1),
      () => list.push(Buffer.alloc(10)),
      () => globalThis.gc(),
    ]);
    const last = list[length - 1];
    const get = () => {
      try {
        harm();
      } catch {
        // The memory is gone already.
      }
      return last;
    };
    Object.defineProperty(list, length - 1, { get, configurable: true });
    return list;
  }
}

module.exports = { Values, detach };
