'use strict';

// The option `signal` of sockets and servers.

const { aborted } = require('./errors.js');

/**
 * Calls `act` with an AbortError once the signal is aborted, but never before the next
 * tick, and not after `emitter` has closed.
 */
function whenAborted(signal, emitter, act) {
  const onAbort = () => act(aborted(signal.reason));
  if (signal.aborted) {
    process.nextTick(onAbort);
    return;
  }
  signal.addEventListener('abort', onAbort, { once: true });
  emitter.once('close', () => signal.removeEventListener('abort', onAbort));
}

module.exports = { whenAborted };
