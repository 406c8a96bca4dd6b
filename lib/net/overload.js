'use strict';

// Servers that stopped accepting because descriptors or memory ran out. They try again
// after a while, and as soon as a connection of ours was closed.

const FIRST_RETRY = 50; // Milliseconds.
const NEXT_RETRY = 500;

/** @type {Map<import('../binding.js').Listener, NodeJS.Timeout>} */
const waiting = new Map();

/** Has the listener accept again when there may be room. */
function retryLater(listener) {
  const isAgain = listener.wasOverloaded === true;
  listener.wasOverloaded = true;
  // A stopped listener does not keep the loop alive, so its timer does in its place.
  const timer = setTimeout(retry, isAgain ? NEXT_RETRY : FIRST_RETRY, listener);
  if (!listener.hasRef()) timer.unref();
  waiting.set(listener, timer);
}

function retry(listener) {
  forget(listener);
  listener.accept();
}

/** The listener accepted again, or was closed. */
function forget(listener) {
  clearTimeout(waiting.get(listener));
  waiting.delete(listener);
}

/** A descriptor of ours was closed. */
function retryOverloaded() {
  if (waiting.size === 0) return;
  for (const listener of [...waiting.keys()]) retry(listener);
}

module.exports = { forget, retryLater, retryOverloaded };
