'use strict';

// Numbers that look random and are the same in every run with one seed, so that a
// failure can be repeated: PIPEWRIGHT_SEED=1234 npx jest …

const seed = Number(process.env.PIPEWRIGHT_SEED ?? 20_260);

/** @returns {(below: number) => number} the next integer, at least 0 */
function randomIntegers(of = seed) {
  let state = of >>> 0;
  return (below) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * below);
  };
}

module.exports = { randomIntegers, seed };
