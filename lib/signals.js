'use strict';

// watchSignal(): signals as events, on worker threads too, where process.on() cannot.

const { SignalWrap } = require('./base/binding.js');
const { errnoException } = require('./base/errors.js');
const { signalName, signalNumber } = require('./base/signal_names.js');
const { validateFunction } = require('./base/validate.js');

/** What watchSignal() returns. */
class SignalWatcher {
  #handle = new SignalWrap();
  #isStopped = false;

  constructor(number, listener) {
    const name = signalName(number);
    /** The signal's name. */
    this.signal = name;
    this.#handle.onsignal = () => listener(name, number);
    const err = this.#handle.start(number);
    if (err === 0) return;
    this.stop();
    throw errnoException(err, 'sigaction', name);
  }

  /** Stops watching. The last watcher of the process to stop gives the signal its default back. */
  stop() {
    if (this.#isStopped) return;
    this.#isStopped = true;
    this.#handle.close();
  }

  /** Lets the program end while this watches. */
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
 * Calls `listener(name, number)` whenever this process gets the signal. There may be any
 * number of watchers of one signal, in any threads: each is called once.
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
