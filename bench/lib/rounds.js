'use strict';

// Interleaved measuring: round by round, every column once, so that all columns see the same weather on the machine.

const { clearProgress, showRound } = require('./progress.js');

// Returns a Map from column name to its list of samples, one a round.
async function measureInRounds(columns, rounds, measure) {
  const samples = new Map(columns.map((column) => [column.name, []]));
  for (let round = 0; round < rounds; round++) {
    for (const column of rotate(columns, round)) {
      showRound(round + 1, rounds, column.name);
      samples.get(column.name).push(await measure(column));
    }
  }
  clearProgress();
  return samples;
}

// Nobody is always first, nor always after the same neighbour's garbage.
function rotate(columns, round) {
  const first = round % columns.length;
  return [...columns.slice(first), ...columns.slice(0, first)];
}

module.exports = { measureInRounds };
