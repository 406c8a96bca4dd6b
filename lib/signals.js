'use strict';

// watchSignal(): calls a listener for each signal. Unlike process.on(), it also works in
// worker threads.

const { SignalWrap } = require('./base/binding.js');
const { errnoException } = require('./base/errors.js');
const { signalName, signalNumber } = require('./base/signal_names.js');
const { validateFunction } = require('./base/validate.js');

/** A watcher of one signal; watchSignal() returns it. */
class SignalWatcher {
  #handle = new SignalWrap();
  #isStopped = false;

  constructor(number, listener) {
    const name = signalName(number);
    /** The name of the signal, such as 'SIGHUP'. */
    this.signal = name;
    this.#handle.onsignal = () => listener(name, number);
    const err = this.#handle.start(number);
    if (err === 0) return;
    this.stop();
    throw errnoException(err, 'sigaction', name);
  }

  /** Stops watching. When the last watcher in the process stops, the signal gets its default action back. */
  stop() {
    if (this.#isStopped) return;
    this.#isStopped = true;
    this.#handle.close();
  }

  /** Lets the program end although this still watches. */
  unref() {
    if (!this.#isStopped) this.#handle.unref();
    return this;
  }

  ref() {
    if (!this.#isStopped) this.#handle.ref();
    return this;
  }

  [Symbol.dispose]() {
    this.stop();
  }
}

/**
 * Calls `listener(name, number)` whenever this process gets the signal. A signal may have
 * any number of watchers, in any threads; each is called once for a signal.
 *
 * @param {string | number} signal
 * @param {(name: string, number: number) => void} listener
 * @returns {SignalWatcher}
 * @throws ERR_UNKNOWN_SIGNAL; EINVAL for SIGKILL and SIGSTOP, which cannot be watched
 */
function watchSignal(signal, listener) {
  const number = signalNumber(signal);
  validateFunction(listener, 'listener');
  return new SignalWatcher(number, listener);
}

module.exports = { SignalWatcher, watchSignal };
