'use strict';

// Ends a child from outside: at a timeout, by an AbortSignal, and by SIGKILL if it has
// not ended `forceKillAfter` milliseconds after the first signal.
//
// spawn() counts the timeout until 'exit', execFile() and run() until 'close'. No timer
// fires during spawnSync(), so there src/child_process/spawn_sync.cc does the same with a
// clock of its own. It takes no AbortSignal, because no code could abort it.

const { signals } = require('node:os').constants;
const { clearTimeout, setTimeout } = require('node:timers');

const { aborted } = require('../base/errors.js');

const { SIGKILL } = signals;

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

/** Sends SIGKILL `forceKillAfter` milliseconds after the first `killSignal`; 0: never. */
class Escalation {
  #child;
  #killSignal;
  #forceKillAfter;
  #timer = null;

  constructor(child, killSignal, forceKillAfter) {
    this.#child = child;
    this.#killSignal = killSignal;
    this.#forceKillAfter = forceKillAfter;
  }

  /** Must be called for each signal that was sent to the child. The first killSignal starts the timer. */
  onSent(number, isTree) {
    if (this.#forceKillAfter === 0 || this.#timer !== null || number !== this.#killSignal) return;
    this.#timer = setTimeout(() => this.#child.kill(SIGKILL, { tree: isTree }), this.#forceKillAfter);
    this.#timer.unref();
  }

  stop() {
    clearTimeout(this.#timer);
  }
}

module.exports = { Escalation, atTimeout, endAfter, endWhenAborted };
