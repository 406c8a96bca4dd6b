'use strict';

// Keeps the workers of a cluster: one slot for each, in which a worker that has ended is
// followed by another.

const EventEmitter = require('node:events');

const { kForward } = require('./messages.js');
const { Reserve } = require('./reserve.js');
const { WorkerHandle } = require('./worker_handle.js');

const RESERVED = 12; // Descriptors: what it takes to start one worker, and some.

/** Makes a worker and starts it. It emits 'ready' and 'exit': see WorkerHandle. */
function makeWorker(id, options, dispatcher) {
  return new WorkerHandle(id, options, dispatcher);
}

/**
 * Events: 'ready' (worker); 'exit' (worker, code, signal, moved); 'listen' and 'unlisten'
 * (worker, …), as of WorkerHandle; 'error'; 'end' after stop().
 */
class Supervisor extends EventEmitter {
  #options;
  #dispatcher;
  #slots; // { worker, failures, timer, starts }: one for each worker.
  #reserve = new Reserve(RESERVED);
  #lastId = 0;
  #restarts = 0;
  #isStopping = false;
  #forward = null;
  #handler = null;

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
    this.#reserve.release();
    const worker = makeWorker(++this.#lastId, this.#options, this.#dispatcher);
    this.#reserve.fill();
    slot.worker = worker;
    worker.restarts = slot.starts++;
    this.#attach(worker);
    worker.once('ready', () => this.emit('ready', worker));
    worker.on('listen', (request, reply) => this.emit('listen', worker, request, reply));
    worker.on('unlisten', (number) => this.emit('unlisten', worker, number));
    worker.once('exit', (code, signal, moved) => this.#onExit(slot, worker, code, signal, moved));
  }

  // Messages of the programs.

  #attach(worker) {
    const forward = this.#forward;
    worker[kForward](forward && ((message, descriptors) => forward(worker, message, descriptors)));
    if (this.#handler !== null) this.#setHandler(worker);
  }

  #setHandler(worker) {
    const handler = this.#handler;
    if (!worker.isOpen) return;
    worker.onRequest(handler && ((message, descriptors) => handler(worker, message, descriptors)));
  }

  /** Gives the messages of all workers to `forward` (worker, message, descriptors); null ends that. */
  forwardMessages(forward) {
    this.#forward = forward;
    for (const worker of this.workers) this.#attach(worker);
  }

  /** Has the requests of all workers answered by `handler` (worker, message, descriptors). */
  onRequest(handler) {
    this.#handler = handler;
    for (const worker of this.workers) this.#setHandler(worker);
  }

  /** @returns {number} how many workers the message was sent to */
  broadcast(message) {
    const reached = this.workers.filter(({ isOpen }) => isOpen);
    for (const worker of reached) worker.send(message);
    return reached.length;
  }

  // Their life.

  #onExit(slot, worker, code, signal, moved) {
    slot.worker = null;
    this.#reserve.fill(); // Before what it had goes to connections.
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

  /** Asks each worker whether its loop turns: see WorkerHandle.ping(). */
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
    if (this.workers.length > 0) return;
    this.#reserve.release();
    this.emit('end');
  }
}

module.exports = { Supervisor };
