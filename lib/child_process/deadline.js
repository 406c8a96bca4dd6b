'use strict';

// The ends that a caller sets to a child beforehand: a timeout, an AbortSignal.

const { clearTimeout, setTimeout } = require('node:timers');

const { aborted } = require('../base/errors.js');

/** After `timeout` milliseconds, unless the child has ended by then. 0 is never. */
function endAfter(child, timeout, killSignal) {
  if (timeout === 0) return;
  const timer = setTimeout(() => {
    try {
      child.kill(killSignal);
    } catch (err) {
      child.emit('error', err);
    }
  }, timeout);
  child.once('exit', () => clearTimeout(timer));
}

/** When `signal` is aborted; 'error' tells so. */
function endWhenAborted(child, signal, killSignal) {
  if (signal === null) return;
  const onAbort = () => abort(child, killSignal, signal.reason);
  if (signal.aborted) {
    process.nextTick(onAbort);
    return;
  }
  signal.addEventListener('abort', onAbort, { once: true });
  child.once('exit', () => signal.removeEventListener('abort', onAbort));
}

function abort(child, killSignal, reason) {
  try {
    if (child.kill(killSignal)) child.emit('error', aborted(reason));
  } catch (err) {
    child.emit('error', err);
  }
}

module.exports = { endAfter, endWhenAborted };
