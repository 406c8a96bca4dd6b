'use strict';

// How a child is ended from outside: at a timeout, by an AbortSignal.

const { clearTimeout, setTimeout } = require('node:timers');

const { aborted } = require('../base/errors.js');

/**
 * Calls `end` after `timeout` milliseconds (0: never), unless the child has emitted
 * `event` by then: 'exit', or 'close' if its output counts too.
 */
function atTimeout(child, timeout, event, end) {
  if (timeout === 0) return;
  const timer = setTimeout(end, timeout);
  child.once(event, () => clearTimeout(timer));
}

/** Kills the child after `timeout` milliseconds, unless it has exited by then. */
function endAfter(child, timeout, killSignal) {
  atTimeout(child, timeout, 'exit', () => tryToKill(child, killSignal));
}

/** Kills the child when `signal` is aborted, and reports that by 'error'. */
function endWhenAborted(child, signal, killSignal) {
  if (signal === null) return;
  const onAbort = () => {
    if (tryToKill(child, killSignal)) child.emit('error', aborted(signal.reason));
  };
  if (signal.aborted) {
    process.nextTick(onAbort);
    return;
  }
  signal.addEventListener('abort', onAbort, { once: true });
  child.once('exit', () => signal.removeEventListener('abort', onAbort));
}

function tryToKill(child, killSignal) {
  try {
    return child.kill(killSignal);
  } catch (err) {
    child.emit('error', err);
    return false;
  }
}

module.exports = { atTimeout, endAfter, endWhenAborted };
