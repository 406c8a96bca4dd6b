'use strict';

// Keeps the workers of a cluster: one slot for each, in which a worker that has ended is
// followed by another.

const EventEmitter = require('node:events');

const { WorkerProcess } = require('./worker_process.js');

/** Makes a worker and starts it. It emits 'ready' and 'exit': see WorkerProcess. */
function makeWorker(id, options, dispatcher) {
  return new WorkerProcess(id, options, dispatcher);
}

/** Events: 'ready' (worker); 'exit' (worker, code, signal, moved); 'error'; 'end' after stop();
 * 'listen' and 'unlisten' (worker, …): see WorkerProcess. */
class Supervisor extends EventEmitter {
  #options;
  #dispatcher;
  #slots; // { worker, failures, timer, starts }: one for each worker.
  #lastId = 0;
  #restarts = 0;
  #isStopping = false;

  /**
   * @param {any} options of the cluster, normalized
   * @param {import('../base/binding.js').ConnectionDispatcher} dispatcher
   */
  constructor(options, dispatcher) {
    super();
    this.#options = options;
    this.#dispatcher = dispatcher;
    this.#slots = Array.from({ length: options.workers }, () => ({
      worker: null,
      failures: 0,
      timer: null,
      starts: 0,
    }));
  }

  start() {
    for (const slot of this.#slots) this.#startWorker(slot);
  }

  #startWorker(slot) {
    const worker = makeWorker(++this.#lastId, this.#options, this.#dispatcher);
    slot.worker = worker;
    worker.restarts = slot.starts++;
    worker.once('ready', () => this.emit('ready', worker));
    worker.on('listen', (request, reply) => this.emit('listen', worker, request, reply));
    worker.on('unlisten', (number) => this.emit('unlisten', worker, number));
    worker.once('exit', (code, signal, moved) => this.#onExit(slot, worker, code, signal, moved));
  }

  #onExit(slot, worker, code, signal, moved) {
    slot.worker = null;
    this.emit('exit', worker, code, signal, moved);
    if (this.#isStopping) {
      this.#endIfDone();
      return;
    }
    if (worker.error !== null) this.emit('error', worker.error);
    // The handlers of 'exit' and 'error' may have closed the cluster.
    if (!this.#isStopping) this.#restartLater(slot, worker);
  }

  #restartLater(slot, worker) {
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

  /** The workers that have not ended. */
  get workers() {
    return this.#slots.map(({ worker }) => worker).filter((worker) => worker !== null);
  }

  /** How many workers were started in place of one that had ended. */
  get restarts() {
    return this.#restarts;
  }

  /** Asks each worker whether its loop turns: see WorkerProcess.ping(). */
  ping() {
    for (const worker of this.workers) worker.ping();
  }

  /** Starts no more workers, and stops those that run. 'end' follows once they have ended. */
  stop() {
    this.#isStopping = true;
    for (const slot of this.#slots) {
      clearTimeout(slot.timer);
      slot.worker?.stop(this.#options.closeTimeout);
    }
    this.#endIfDone();
  }

  #endIfDone() {
    if (this.workers.length === 0) this.emit('end');
  }
}

module.exports = { Supervisor };
