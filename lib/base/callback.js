'use strict';

// Calls the user's callbacks, which may throw.

/** Rethrows an exception of `callback` in the next tick, so that other callbacks are called first. */
function callSafely(callback, ...args) {
  try {
    callback(...args);
  } catch (error) {
    process.nextTick(() => {
      throw error;
    });
  }
}

module.exports = { callSafely };
