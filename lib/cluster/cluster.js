'use strict';

// The primary: its listeners, and the dispatcher between them and the workers, which needs no
// JavaScript for a connection. The supervisor keeps the workers.

const { ConnectionDispatcher } = require('../base/binding.js');
const { errnoException, plain } = require('../base/errors.js');
const { validateFunction } = require('../base/validate.js');
const { inheritance } = require('./inherited.js');
const { Listeners } = require('./listeners.js');
const { MessageEmitter, kListenersChanged } = require('./messages.js');
const { dispatcherOptions, normalizeClusterOptions, normalizeListen, normalizeUpgrade } = require('./options.js');
const { ProgramListeners } = require('./program_listeners.js');
const { letFunctionChoose } = require('./schedule.js');
const { watchSignals } = require('./signals.js');
const { StatusServer } = require('./status_server.js');
const { Supervisor } = require('./supervisor.js');
const { enroll, passOn, upgrade, withdraw } = require('./upgrade.js');

const LOOKS = 4; // At the workers' heartbeats, in `handoverTimeout`.
const FORWARDED = ['ready', 'draining', 'retire', 'exit', 'reload', 'rollback', 'error']; // Events of the supervisor.

/** Tells of connections that it gets from workers or another primary: they may have to go on. */
class Dispatcher extends ConnectionDispatcher {
  onadopted = () => {};

  adopt(...args) {
    return this.#told(super.adopt(...args));
  }

  takeBack(...args) {
    return this.#told(super.takeBack(...args));
  }

  #told(err) {
    if (err === 0) this.onadopted();
    return err;
  }
}

/**
 * Events: 'listening' (address); 'ready' (worker); 'retire' (worker, reason): it will be
 * replaced; 'draining' (worker): it gets no more connections; 'exit' (worker, code, signal,
 * moved), where `moved` connections go to other workers; 'reload'; 'rollback' (error): a reload
 * has failed; 'full' and 'room': no worker takes connections, which wait in the backlog, and one
 * does again; 'overload' (error): the table of descriptors is full; 'message' (worker, message,
 * descriptors); 'error'; 'close'.
 */
class Cluster extends MessageEmitter {
  #options;
  #dispatcher = new Dispatcher();
  #listeners = new Listeners(this.#dispatcher, this, (number) => this.#onListenerClosed(number));
  #programListeners = new ProgramListeners(
    this.#listeners,
    () => this.#whenClosed !== null || this.#supervisor.hasReadyWorker,
  );
  #supervisor;
  #isForwarding = false; // 'message' has a listener.
  #member; // This cluster, for upgrade.js.
  #heartbeatTimer = null;
  #statusServer = null;
  #startedAt = Date.now();
  #whenClosed = null;
  #handlesSignals = false;

  constructor(options) {
    super();
    this.#options = normalizeClusterOptions(options);
    const { schedule, handoverTimeout, workers } = this.#options;
    const err = this.#dispatcher.open(dispatcherOptions(this.#options));
    if (err !== 0) throw errnoException(err, 'open');
    if (this.#options.kind === 'thread') this.#dispatcher.shareTable();
    if (typeof schedule === 'function') {
      letFunctionChoose(this.#dispatcher, schedule, {
        workers,
        addressOf: (number) => this.#listeners.addressOf(number),
        onError: (error) => this.emit('error', error),
      });
    }
    /** @type {any} */ (this.#dispatcher).onroom = (hasRoom) => this.emit(hasRoom ? 'room' : 'full');
    if (handoverTimeout > 0) {
      this.#heartbeatTimer = setInterval(
        () => this.#supervisor.checkHeartbeats(),
        Math.ceil(handoverTimeout / LOOKS),
      ).unref();
    }
    this.#supervisor = new Supervisor(this.#options, this.#dispatcher);
    for (const event of FORWARDED) {
      this.#supervisor.on(event, (...args) => this.emit(event, ...args));
    }
    if (this.#options.interceptListen) this.#listenForPrograms();
    this.#supervisor.once('exhausted', () => this.close());
    this.#supervisor.once('end', () => this.#onEnd());
    this.#member = this.#asMember();
    enroll(this.#member);
    this.#supervisor.on('exit', () => passOn(this.#member));
    this.#dispatcher.onadopted = () => process.nextTick(passOn, this.#member);
    this.#supervisor.on('ready', () => inheritance.check());
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
    this.#listeners.listen(target, { done: () => this.#programListeners.answerThoseThatWait() });
    return this;
  }

  // A worker may have this process listen only if its program is unchanged: no other has to.
  #listenForPrograms() {
    this.#supervisor.on('exit', (worker) => this.#programListeners.forget(worker));
    this.#supervisor.on('listen', (worker, request, reply) => {
      if (this.#whenClosed === null) this.#programListeners.answer(worker, request, reply);
    });
    this.#supervisor.on('unlisten', (worker, number) => this.#programListeners.release(worker, number));
  }

  // With schedule 'shared' the workers have it, too.
  #onListenerClosed(number) {
    if (this.#options.schedule === 'shared') this.#supervisor.closeListener(number);
  }

  /** The addresses of its listeners, as those of server.address(). */
  addresses() {
    return this.#listeners.addresses;
  }

  /** The address of the status page, as that of server.address(); null without one. */
  statusAddress() {
    return this.#statusServer?.address() ?? null;
  }

  /**
   * Counts of connections and of workers' replacements, and the workers with counts of their own:
   * ClusterStats of types/cluster.d.ts says what each is.
   */
  stats() {
    const counters = this.#dispatcher.getCounters();
    const workers = this.#supervisor.workers.map((worker) => worker.stats());
    return { ...counters, ...this.#supervisor.counters, workers };
  }

  /**
   * Replaces the workers by new ones, which run the program as it is on disk now. They start
   * beside the old ones, the first alone, and take over together when all are ready; then the old
   * ones drain. If one of them ends before, or is not ready within `readyTimeout`, the new ones
   * are ended and the old go on. While one reload is under way, further calls share the next.
   *
   * @param {object} [overrides] exec, args, execArgv, env: in place of those that hold
   * @returns {Promise<void>} resolves when the new ones have taken over; rejects with
   *   ERR_CLUSTER_RELOAD_FAILED, ERR_CLUSTER_CLOSED, ERR_INVALID_ARG_TYPE
   */
  reload(overrides) {
    return this.#supervisor.reload(overrides);
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

  // Messages of the programs.

  // The workers' messages wait until there is a listener.
  [kListenersChanged]() {
    const isWanted = this.listenerCount('message') > 0;
    if (isWanted === this.#isForwarding) return;
    this.#isForwarding = isWanted;
    this.#supervisor.forwardMessages(isWanted ? (...args) => this.#onMessage(...args) : null);
  }

  #onMessage(worker, message, descriptors) {
    this.emit('message', worker, message, descriptors);
  }

  /**
   * Sends a message to all workers whose channel is open.
   *
   * @param {any} message as of worker.send()
   * @returns {number} how many these are
   * @throws ERR_CHANNEL_MESSAGE_TOO_LARGE, and what the serialization throws
   */
  broadcast(message) {
    return this.#supervisor.broadcast(message);
  }

  /**
   * Answers the requests of all workers, also of those that are started later: see worker.onRequest().
   *
   * @param {((worker: any, message: any, descriptors: readonly any[]) => any) | null} handler
   * @throws ERR_INVALID_ARG_TYPE
   */
  onRequest(handler) {
    if (handler !== null) validateFunction(handler, 'handler');
    this.#supervisor.onRequest(handler);
    return this;
  }

  /** The workers that have not ended. */
  get workers() {
    return this.#supervisor.workers;
  }

  // Closing.

  /**
   * Accepts no more, lets the workers finish with their connections, and ends them: after
   * `closeTimeout` by SIGKILL.
   *
   * @returns {Promise<void>} resolves with 'close'
   */
  close() {
    return this.#close({ moves: false });
  }

  #close({ moves }) {
    if (this.#whenClosed !== null) return this.#whenClosed.promise;
    let resolve;
    const promise = new Promise((done) => (resolve = done));
    this.#whenClosed = { promise, resolve };
    withdraw(this.#member);
    this.#listeners.closeAll();
    this.#supervisor.stop({ moves });
    return promise;
  }

  // Connections of workers that did not finish may have to go to another primary first.
  async #onEnd() {
    clearInterval(this.#heartbeatTimer);
    this.#statusServer?.close();
    await passOn(this.#member);
    this.#dispatcher.close(() => {
      this.emit('close');
      this.#whenClosed.resolve();
    });
  }

  /**
   * From now on SIGTERM and SIGINT close the cluster, and kill the workers when one of them comes
   * again; SIGHUP reloads; SIGUSR2 upgrades. A reload or upgrade that fails is an 'error', or
   * without a handler of that a warning of the process. Until 'close'.
   */
  handleSignals() {
    if (this.#handlesSignals || this.#whenClosed !== null) return this;
    this.#handlesSignals = true;
    watchSignals(this, () => this.#supervisor.kill());
    return this;
  }

  // Upgrade.

  /**
   * Replaces this process: starts the program again, and leaves its listeners and connections to
   * the new process once that has a worker; then closes. All clusters of this process take part.
   *
   * @param {object} [options]
   * @param {number} [options.timeout] milliseconds until the new process has to be ready; default
   *   `readyTimeout`; 0: any
   * @returns {Promise<{ pid: number }>} resolves when the new process accepts. Rejects if it did
   *   not get so far, and was killed, while this one goes on: ERR_CLUSTER_UPGRADE_ENDED,
   *   ERR_CLUSTER_UPGRADE_TIMEOUT, ERR_CLUSTER_CLOSED. Also with
   *   ERR_CLUSTER_NOT_IN_CHARGE, ERR_PIPEWRIGHT_MAIN_THREAD_ONLY, the system's error
   * @throws ERR_INVALID_ARG_TYPE, ERR_OUT_OF_RANGE
   */
  upgrade(options = {}) {
    const { timeout } = normalizeUpgrade(options, this.#options);
    return this.#whenClosed === null ? upgrade(timeout) : Promise.reject(plain('ERR_CLUSTER_CLOSED'));
  }

  // What an upgrade needs of a cluster.
  #asMember() {
    const dispatcher = this.#dispatcher;
    const listeners = this.#listeners;
    const supervisor = this.#supervisor;
    const report = (error) =>
      this.listenerCount('error') > 0 ? this.emit('error', error) : process.emitWarning(error);
    return {
      listeners,
      get isReady() {
        return listeners.isComplete && supervisor.hasReadyWorker;
      },
      pause: () => dispatcher.pause(),
      resume: () => {
        const err = dispatcher.resume();
        if (err !== 0) report(errnoException(err, 'dup')); // A worker lacks a listening socket.
      },
      takePending: () => dispatcher.takePending(),
      close: () => this.#close({ moves: true }),
      report,
    };
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
