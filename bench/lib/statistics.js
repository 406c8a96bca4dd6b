'use strict';

// The few numbers that a series of measurements is reduced to.

function median(values) {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

function summarize(values) {
  return { median: median(values), least: Math.min(...values), most: Math.max(...values), values };
}

// Pairs the rounds: what disturbed the machine in one round disturbed both values of the pair.
function medianRatio(values, otherValues) {
  return median(values.map((value, round) => value / otherValues[round]));
}

module.exports = { medianRatio, summarize };
