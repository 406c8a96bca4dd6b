'use strict';

// The primary: its listeners, and the dispatcher between them and the workers, which needs no
// JavaScript for a connection. The supervisor keeps the workers.

const EventEmitter = require('node:events');

const { whenAborted } = require('../base/abort.js');
const { ConnectionDispatcher } = require('../base/binding.js');
const { errnoException, plain } = require('../base/errors.js');
const { forgetFile } = require('../base/socket_files.js');
const { startListening } = require('../net/listening.js');
const { EVERY_LISTENER, IS_TAKEN_AT_ONCE, IS_TCP } = require('./marks.js');
const { normalizeClusterOptions, normalizeListen } = require('./options.js');
const { ProgramListeners } = require('./program_listeners.js');
const { StatusServer } = require('./status_server.js');
const { Supervisor } = require('./supervisor.js');

const PINGS = 4; // In `handoverTimeout`.
const SILENT = 20_000; // Milliseconds that a silent connection's copy is kept without it.
const MAX_INT32 = 2 ** 31 - 1;

/**
 * Events: 'listening' (address); 'ready' (worker); 'exit' (worker, code, signal, moved), where
 * `moved` connections go to other workers; 'full' and 'room': no worker takes connections, which
 * wait in the backlog, and one does again; 'overload' (error): the table of descriptors is full;
 * 'error'; 'close'.
 */
class Cluster extends EventEmitter {
  #options;
  #dispatcher = new ConnectionDispatcher();
  #listeners = new Set(); // { number, isProgram, listener, attempt, address }
  #listenerCount = 0;
  #programListeners = new ProgramListeners((args, number, done) => {
    return this.#startListening(normalizeListen(args), { isProgram: true, number }, done);
  });
  #unanswered = []; // Programs that want to listen, while listen() has not come to an end.
  #supervisor;
  #pingTimer = null;
  #statusServer = null;
  #startedAt = Date.now();
  #whenClosed = null;

  constructor(options) {
    super();
    this.#options = normalizeClusterOptions(options);
    const { schedule, maxUnacknowledged, handoverTimeout } = this.#options;
    // A stuck worker is found before the copies of its connections are closed.
    const keep = Math.min(handoverTimeout * 2 || SILENT, MAX_INT32);
    const err = this.#dispatcher.open(schedule === 'least-connections', maxUnacknowledged, keep);
    if (err !== 0) throw errnoException(err, 'open');
    /** @type {any} */ (this.#dispatcher).onroom = (hasRoom) => this.emit(hasRoom ? 'room' : 'full');
    if (handoverTimeout > 0) {
      this.#pingTimer = setInterval(() => this.#supervisor.ping(), Math.ceil(handoverTimeout / PINGS)).unref();
    }
    this.#supervisor = new Supervisor(this.#options, this.#dispatcher);
    for (const event of ['ready', 'exit', 'error']) {
      this.#supervisor.on(event, (...args) => this.emit(event, ...args));
    }
    this.#supervisor.on('exit', (worker) => this.#programListeners.forget(worker));
    this.#supervisor.on('listen', (worker, request, reply) => this.#onProgramListens(worker, request, reply));
    this.#supervisor.on('unlisten', (worker, number) => this.#programListeners.release(worker, number));
    this.#supervisor.once('end', () => this.#onEnd());
    this.#supervisor.start();
    const { statusPage } = this.#options;
    if (statusPage === null) return;
    const onError = (error) => process.nextTick(() => this.emit('error', error));
    this.#statusServer = new StatusServer(statusPage, () => this.#status(), onError);
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
    this.#startListening(target, { isProgram: false }, () => {
      for (const answer of this.#unanswered.splice(0)) answer();
    });
    return this;
  }

  // `done` is called with an error, or null and the entry.
  #startListening(target, { isProgram, number = this.#listenerCount++ }, done) {
    const entry = { number, isProgram, listener: null, attempt: null, address: null };
    this.#listeners.add(entry);
    if (target.signal !== undefined) whenAborted(target.signal, this, () => this.#closeListener(entry));
    entry.attempt = startListening(target, {
      begun: (listener) => {
        this.#onBegun(entry, listener, target);
        done(null, entry);
      },
      failed: (error) => {
        this.#listeners.delete(entry);
        if (!isProgram) process.nextTick(() => this.emit('error', error));
        done(error, undefined);
      },
    });
    return { close: () => this.#closeListener(entry) };
  }

  // An unchanged program wants to listen: it gets the listeners of listen(), or one of its own.
  #onProgramListens(worker, request, reply) {
    const own = [...this.#listeners].filter(({ isProgram }) => !isProgram);
    const first = own.find(({ listener }) => listener !== null);
    if (first !== undefined) {
      reply({ err: 0, listener: EVERY_LISTENER, name: first.address });
    } else if (own.length > 0) {
      this.#unanswered.push(() => this.#onProgramListens(worker, request, reply));
    } else if (this.#whenClosed === null) {
      this.#programListeners.answer(worker, request, reply);
    }
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

  /** The address of the status page, as that of server.address(); null without one. */
  statusAddress() {
    return this.#statusServer?.address() ?? null;
  }

  /**
   * accepted, pending (no worker has room for them), moved (from workers that have died), ended
   * (in use by them), restarts; workers: [{ id, pid, state, startedAt, restarts, assigned, active,
   * unacknowledged, kept }].
   */
  stats() {
    const counters = this.#whenClosed === null ? this.#dispatcher.getCounters() : {};
    const { restarts, workers } = this.#supervisor;
    return { ...counters, restarts, workers: workers.map((worker) => worker.stats()) };
  }

  // What the status page shows.
  #status() {
    const { pid } = process;
    const { schedule } = this.#options;
    return {
      pid,
      now: Date.now(),
      startedAt: this.#startedAt,
      schedule: typeof schedule === 'function' ? 'function' : schedule,
      addresses: this.addresses(),
      ...this.stats(),
    };
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
    this.#supervisor.stop();
    return promise;
  }

  #closeListener(entry) {
    if (!this.#listeners.delete(entry)) return;
    entry.attempt?.cancel();
    if (entry.listener === null) return;
    entry.listener.close();
    forgetFile(entry.listener);
  }

  #onEnd() {
    clearInterval(this.#pingTimer);
    this.#statusServer?.close();
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
