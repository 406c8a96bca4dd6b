'use strict';

// What tests of decoders by fast-check share: streams that are cut anywhere, and damaged.

const fc = require('fast-check');
const { seed } = require('./random');

const settings = (numRuns) => ({ numRuns, seed, endOnFailure: true });

const cutsOf = fc.array(fc.nat(), { maxLength: 12 });

/** Where the pieces of `length` bytes end, for such cuts; `further` places are ends too. */
function endsOf(cuts, length, further = []) {
  return [...new Set([...cuts.map((cut) => cut % (length + 1)), ...further, length])].sort((a, b) => a - b);
}

// Each damage writes over bytes, takes some out, or puts some in.
const damages = fc.array(fc.record({ at: fc.nat(), take: fc.nat(3), put: fc.uint8Array({ maxLength: 3 }) }), {
  minLength: 1,
  maxLength: 4,
});

function damage(bytes, list) {
  let damaged = bytes;
  for (const { at, take, put } of list) {
    const place = at % (damaged.length + 1);
    damaged = Buffer.concat([damaged.subarray(0, place), put, damaged.subarray(place + take)]);
  }
  return damaged;
}

module.exports = { cutsOf, damage, damages, endsOf, settings };
