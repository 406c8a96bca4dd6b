'use strict';

// The primary: listeners, workers, and the dispatcher between them, which needs no JavaScript
// for a connection. A worker that ends is started again.

const EventEmitter = require('node:events');

const { whenAborted } = require('../base/abort.js');
const { ConnectionDispatcher } = require('../base/binding.js');
const { errnoException, plain } = require('../base/errors.js');
const { forgetFile } = require('../base/socket_files.js');
const { startListening } = require('../net/listening.js');
const { IS_TAKEN_AT_ONCE, IS_TCP, NUMBER } = require('./marks.js');
const { dispatcherOptions, normalizeClusterOptions, normalizeListen } = require('./options.js');
const { letFunctionChoose } = require('./schedule.js');
const { WorkerProcess } = require('./worker_process.js');

const PINGS = 4; // In `handoverTimeout`.

/**
 * Events: 'listening' (address); 'ready' (worker); 'exit' (worker, code, signal, moved), where
 * `moved` connections go to other workers; 'full' and 'room': no worker takes connections, which
 * wait in the backlog, and one does again; 'overload' (error): the table of descriptors is full;
 * 'error'; 'close'.
 */
class Cluster extends EventEmitter {
  #options;
  #dispatcher = new ConnectionDispatcher();
  #listeners = new Set(); // { listener, attempt, address, number }
  #listenerCount = 0;
  #slots; // { number, worker, failures, timer }: one for each worker.
  #lastId = 0;
  #restarts = 0;
  #pingTimer = null;
  #whenClosed = null;

  constructor(options) {
    super();
    this.#options = normalizeClusterOptions(options);
    const { schedule, handoverTimeout, workers } = this.#options;
    const err = this.#dispatcher.open(dispatcherOptions(this.#options));
    if (err !== 0) throw errnoException(err, 'open');
    if (typeof schedule === 'function') {
      letFunctionChoose(this.#dispatcher, schedule, {
        workers,
        addressOf: (listener) => this.#addressOf(listener),
        onError: (error) => this.emit('error', error),
      });
    }
    /** @type {any} */ (this.#dispatcher).onroom = (hasRoom) => this.emit(hasRoom ? 'room' : 'full');
    if (handoverTimeout > 0) {
      this.#pingTimer = setInterval(() => this.#ping(), Math.ceil(handoverTimeout / PINGS)).unref();
    }
    this.#slots = Array.from({ length: workers }, (_, number) => ({ number, worker: null, failures: 0, timer: null }));
    for (const slot of this.#slots) this.#startWorker(slot);
  }

  // Listening.

  /**
   * Listens as server.listen() does; what is accepted goes to the workers. May be called again,
   * for another listener.
   *
   * @param {...any} args of server.listen(). Also `ack`: 'first-byte', or 'accept' for a
   *   protocol in which the server speaks first. `signal` closes this listener
   * @throws as server.listen(), ERR_CLUSTER_CLOSED
   */
  listen(...args) {
    const target = normalizeListen(args);
    if (this.#whenClosed !== null) throw plain('ERR_CLUSTER_CLOSED');
    if (target.callback) this.once('listening', target.callback);
    const entry = { listener: null, attempt: null, address: null, number: this.#listenerCount++ & NUMBER };
    this.#listeners.add(entry);
    if (target.signal !== undefined) whenAborted(target.signal, this, () => this.#closeListener(entry));
    entry.attempt = startListening(target, {
      begun: (listener) => this.#onBegun(entry, listener, target),
      failed: (error) => {
        this.#listeners.delete(entry);
        process.nextTick(() => this.emit('error', error));
      },
    });
    return this;
  }

  #onBegun(entry, listener, { ack, path }) {
    const name = listener.getsockname();
    const isTcp = typeof name === 'object';
    const isTakenAtOnce = ack === 'accept';
    const marks = (isTcp ? IS_TCP : 0) | (isTakenAtOnce ? IS_TAKEN_AT_ONCE : 0);
    entry.listener = listener;
    entry.address = path ?? name;
    listener.onconnection = (status, isOverload) => {
      this.emit(isOverload === 1 ? 'overload' : 'error', errnoException(status, 'accept'));
    };
    const err = this.#dispatcher.addListener(listener, entry.number | marks, isTakenAtOnce);
    process.nextTick(() => {
      if (err === 0) this.emit('listening', entry.address);
      else this.emit('error', errnoException(err, 'listen'));
    });
  }

  /** The addresses of its listeners, as those of server.address(). */
  addresses() {
    return [...this.#listeners].filter(({ listener }) => listener !== null).map(({ address }) => address);
  }

  #addressOf(listener) {
    return [...this.#listeners].find(({ number }) => number === (listener & NUMBER))?.address;
  }

  // Workers.

  #startWorker(slot) {
    const worker = new WorkerProcess(++this.#lastId, this.#options, this.#dispatcher, slot.number);
    slot.worker = worker;
    worker.once('ready', () => this.emit('ready', worker));
    worker.once('exit', (code, signal, moved) => this.#onExit(slot, worker, code, signal, moved));
  }

  #onExit(slot, worker, code, signal, moved) {
    slot.worker = null;
    this.emit('exit', worker, code, signal, moved);
    if (this.#whenClosed !== null) {
      this.#closeIfDone();
      return;
    }
    if (worker.error !== null) this.emit('error', worker.error);
    // 'error' and 'exit' may have closed the cluster.
    if (this.#whenClosed !== null) return;
    const { minUptime, restartDelay, maxRestartDelay } = this.#options;
    const hasServed = worker.wasReady && Date.now() - worker.startedAt >= minUptime;
    slot.failures = hasServed ? 0 : slot.failures + 1;
    const delay = slot.failures === 0 ? 0 : Math.min(restartDelay * 2 ** (slot.failures - 1), maxRestartDelay);
    slot.timer = setTimeout(() => {
      slot.timer = null;
      this.#restarts += 1;
      this.#startWorker(slot);
    }, delay);
  }

  #ping() {
    for (const worker of this.#workers) worker.ping();
  }

  get #workers() {
    return this.#slots.map(({ worker }) => worker).filter((worker) => worker !== null);
  }

  /**
   * accepted, pending (no worker has room for them), moved (from workers that have died), ended
   * (in use by them), restarts; workers: [{ id, pid, state, startedAt, assigned, active,
   * unacknowledged, kept }].
   */
  stats() {
    const counters = this.#whenClosed === null ? this.#dispatcher.getCounters() : {};
    const workers = this.#workers.map((worker) => worker.stats());
    return { ...counters, restarts: this.#restarts, workers };
  }

  // Closing.

  /**
   * Accepts no more, lets the workers finish with their connections, and ends them: after
   * `closeTimeout` by SIGKILL.
   *
   * @returns {Promise<void>} resolves with 'close'
   */
  close() {
    if (this.#whenClosed !== null) return this.#whenClosed.promise;
    let resolve;
    const promise = new Promise((done) => (resolve = done));
    this.#whenClosed = { promise, resolve };
    for (const entry of [...this.#listeners]) this.#closeListener(entry);
    for (const slot of this.#slots) {
      clearTimeout(slot.timer);
      slot.worker?.stop(this.#options.closeTimeout);
    }
    this.#closeIfDone();
    return promise;
  }

  #closeListener(entry) {
    if (!this.#listeners.delete(entry)) return;
    entry.attempt?.cancel();
    if (entry.listener === null) return;
    entry.listener.close();
    forgetFile(entry.listener);
  }

  #closeIfDone() {
    if (this.#workers.length > 0) return;
    clearInterval(this.#pingTimer);
    this.#dispatcher.close(() => {
      this.emit('close');
      this.#whenClosed.resolve();
    });
  }
}

/**
 * Starts workers, which take the connections of all listeners: see docs/cluster.md.
 *
 * @param {object} options exec, args, workers, kind, schedule, and those of docs/cluster.md
 * @returns {Cluster}
 * @throws ERR_INVALID_ARG_TYPE, ERR_INVALID_ARG_VALUE, ERR_OUT_OF_RANGE
 */
function createCluster(options) {
  return new Cluster(options);
}

module.exports = { createCluster };
