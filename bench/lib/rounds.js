'use strict';

// Interleaved measuring: round by round, every column once, so that all columns see the same weather on the machine.

// Returns a Map from column name to its list of samples, one a round.
async function measureInRounds(columns, rounds, measure) {
  const samples = new Map(columns.map((column) => [column.name, []]));
  for (let round = 0; round < rounds; round++) {
    for (const column of rotate(columns, round)) samples.get(column.name).push(await measure(column));
  }
  return samples;
}

// Nobody is always first, nor always after the same neighbour's garbage.
function rotate(columns, round) {
  const first = round % columns.length;
  return [...columns.slice(first), ...columns.slice(0, first)];
}

module.exports = { measureInRounds };
