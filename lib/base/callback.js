'use strict';

// Callbacks of the caller's, which may throw.

/** Calls it; what it throws becomes uncaught in the next tick, so that the others are called. */
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
