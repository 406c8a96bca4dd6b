'use strict';

// Waits for what no event tells: the state of another process or thread, and counters of C++.

const INTERVAL = 1; // Milliseconds.

/** Resolves once `condition()` is true. A condition that never is fails by the test's own limit. */
async function until(condition) {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, INTERVAL));
}

module.exports = { until };
