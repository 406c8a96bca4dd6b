'use strict';

// Keeps the workers of a cluster: one slot for each. A worker that has ended is followed by
// another; one that is to be replaced goes on until the other is ready.
//
//   slot:  worker ends ------------------> after a while: the next worker starts
//          reload(), a worker retires ---> candidate starts --all are ready--> it is the worker,
//                                             |                                the old one drains
//                                             one of them ends: none takes over, the old go on

const EventEmitter = require('node:events');

const { plain } = require('../base/errors.js');
const { mergeReloadOptions } = require('./options.js');
const { kForward } = require('./messages.js');
const { Replacement } = require('./replacement.js');
const { Reserve } = require('./reserve.js');
const { WorkerHandle } = require('./worker_handle.js');

const RESERVED = 16; // Descriptors: what it takes to start one worker, and some.

/** Makes a worker and starts it. It emits 'ready', 'retire' and 'exit': see WorkerHandle. */
function makeWorker(id, options, dispatcher, slot) {
  return new WorkerHandle(id, options, dispatcher, slot);
}

const LOOK_INTERVAL = 5; // Milliseconds between two looks whether all connections have a worker.

const newSlot = (number) => ({
  number,
  worker: null,
  failures: 0,
  restarts: [],
  timer: null,
  starts: 0,
  isGivenUp: false,
});

/**
 * Events: 'ready' (worker); 'draining' (worker); 'retire' (worker, reason); 'exit' (worker, code,
 * signal, moved); 'reload'; 'rollback' (error); 'error'; 'exhausted': no slot has a worker any
 * more; 'listen' and 'unlisten' (worker, …), as of WorkerHandle; 'end' after stop().
 */
class Supervisor extends EventEmitter {
  #options;
  #dispatcher;
  #slots;
  #reserve = new Reserve(RESERVED);
  #workers = new Set(); // Those that have not ended: in slots, candidates, and draining.
  #lastId = 0;
  #restarts = 0;
  #reloads = 0;
  #retired = 0;
  #isStopping = false;
  #lastReplacement = Promise.resolve(); // They come one after the other.
  #replacement = null; // The one that is under way.
  #forward = null;
  #handler = null;
  #nextReload = null; // { overrides, promise }: it has not begun.

  /**
   * @param {any} options of the cluster, normalized
   * @param {import('../base/binding.js').ConnectionDispatcher} dispatcher
   */
  constructor(options, dispatcher) {
    super();
    this.#options = options;
    this.#dispatcher = dispatcher;
    this.#slots = Array.from({ length: options.workers }, (_, number) => newSlot(number));
  }

  start() {
    for (const slot of this.#slots) this.#startIn(slot);
  }

  #startIn(slot) {
    slot.worker = this.#startWorker(this.#options, slot);
    slot.worker.restarts = slot.starts++;
  }

  #startWorker(options, slot) {
    this.#reserve.release();
    const worker = makeWorker(++this.#lastId, options, this.#dispatcher, slot.number);
    this.#reserve.fill();
    this.#workers.add(worker);
    this.#attach(worker);
    worker.once('ready', () => this.#onReady(worker));
    worker.once('retire', (reason) => this.#retire(worker, reason));
    worker.on('listen', (request, reply) => this.emit('listen', worker, request, reply));
    worker.on('unlisten', (index) => this.emit('unlisten', worker, index));
    worker.once('exit', (code, signal, moved) => this.#onExit(worker, code, signal, moved));
    return worker;
  }

  // A candidate waits until it takes over.
  #onReady(worker) {
    if (this.#slotOf(worker) !== undefined) worker.admit();
    this.emit('ready', worker);
  }

  #slotOf(worker) {
    return this.#slots.find((slot) => slot.worker === worker);
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
    for (const worker of this.#workers) this.#attach(worker);
  }

  /** Has the requests of all workers answered by `handler` (worker, message, descriptors). */
  onRequest(handler) {
    this.#handler = handler;
    for (const worker of this.#workers) this.#setHandler(worker);
  }

  /** @returns {number} how many workers the message was sent to */
  broadcast(message) {
    const reached = this.workers.filter(({ isOpen }) => isOpen);
    for (const worker of reached) worker.send(message);
    return reached.length;
  }

  // Restarting.

  #onExit(worker, code, signal, moved) {
    const slot = this.#slotOf(worker);
    this.#workers.delete(worker);
    if (slot !== undefined) slot.worker = null;
    this.#reserve.fill(); // Before what it had goes to connections.
    this.emit('exit', worker, code, signal, moved);
    if (this.#isStopping) {
      this.#endIfDone();
      return;
    }
    if (slot === undefined) return; // It was replaced, or did not take over.
    if (worker.error !== null) this.emit('error', worker.error);
    // The handlers of 'exit' and 'error' may have closed the cluster.
    if (!this.#isStopping) this.#restartLater(slot, worker);
  }

  #restartLater(slot, worker) {
    const { minUptime, maxRestarts, restartWindow } = this.#options;
    const now = Date.now();
    slot.restarts = slot.restarts.filter((time) => now - time < restartWindow);
    if (maxRestarts > 0 && slot.restarts.length >= maxRestarts) {
      slot.isGivenUp = true;
      this.emit('error', plain('ERR_CLUSTER_TOO_MANY_RESTARTS'));
      this.#endIfExhausted();
      return;
    }
    const hasServed = worker.wasReady && now - worker.startedAt >= minUptime;
    slot.failures = hasServed ? 0 : slot.failures + 1;
    slot.restarts.push(now);
    clearTimeout(slot.timer);
    slot.timer = setTimeout(() => {
      slot.timer = null;
      this.#restarts += 1;
      this.#startIn(slot);
    }, this.#delayOf(slot));
  }

  #delayOf({ failures }) {
    const { restartDelay, maxRestartDelay } = this.#options;
    return failures === 0 ? 0 : Math.min(restartDelay * 2 ** (failures - 1), maxRestartDelay);
  }

  // A replacement that is under way may still bring workers.
  #endIfExhausted() {
    if (this.#isStopping || this.#replacement !== null) return;
    if (this.#slots.every(({ isGivenUp }) => isGivenUp)) this.emit('exhausted');
  }

  // Replacing.

  /**
   * Replaces all workers: see Cluster.reload(). While one reload is under way, the calls share
   * the next one.
   */
  async reload(overrides) {
    if (this.#isStopping) throw plain('ERR_CLUSTER_CLOSED');
    mergeReloadOptions(this.#options, overrides); // Throws if they are wrong.
    if (this.#nextReload === null) {
      const promise = this.#afterOthers(() => this.#reload());
      this.#nextReload = { overrides: [], promise };
    }
    this.#nextReload.overrides.push(overrides);
    return this.#nextReload.promise;
  }

  async #reload() {
    // To what the reload before this one has left.
    const options = this.#nextReload.overrides.reduce(mergeReloadOptions, this.#options);
    this.#nextReload = null;
    try {
      await this.#replace(this.#slots, options);
    } catch (error) {
      this.emit('rollback', error);
      this.#endIfExhausted();
      throw error;
    }
    this.#reloads += 1;
    this.emit('reload');
  }

  // A worker that has served for long enough, or that serves no more, goes on until another is ready.
  #retire(worker, reason) {
    this.emit('retire', worker, reason);
    this.#renew(worker);
  }

  #renew(worker) {
    this.#afterOthers(async () => {
      const slot = this.#slotOf(worker);
      if (slot === undefined || this.#isStopping) return;
      try {
        await this.#replace([slot], this.#options);
        this.#retired += 1;
      } catch (error) {
        if (this.#isStopping) return;
        process.nextTick(() => this.emit('error', error));
        this.#endIfExhausted();
        if (slot.worker !== worker) return; // It has ended: another follows anyway.
        slot.failures += 1;
        slot.timer = setTimeout(() => this.#renew(worker), this.#delayOf(slot));
      }
    });
  }

  #afterOthers(act) {
    const result = this.#lastReplacement.then(act);
    this.#lastReplacement = result.catch(() => {});
    return result;
  }

  // Another worker comes into each of the slots, when all of these are ready.
  async #replace(slots, options) {
    if (this.#isStopping) throw plain('ERR_CLUSTER_CLOSED');
    const replacement = new Replacement((slot) => this.#startWorker(options, slot));
    this.#replacement = replacement;
    try {
      this.#takeOver(await replacement.run(slots), options);
    } catch (error) {
      for (const worker of replacement.workers) worker.stop(this.#options.closeTimeout);
      throw error;
    } finally {
      this.#replacement = null;
    }
  }

  #takeOver(workers, options) {
    const old = [];
    this.#options = options;
    for (const [slot, worker] of workers) {
      if (slot.worker !== null) old.push(slot.worker);
      clearTimeout(slot.timer);
      Object.assign(slot, newSlot(slot.number), { worker, starts: 1 });
      worker.admit();
    }
    for (const worker of old) this.#drain(worker, { moves: true });
  }

  #drain(worker, how) {
    if (worker.state !== 'draining') process.nextTick(() => this.emit('draining', worker));
    worker.stop(this.#options.closeTimeout, how);
  }

  // What there is.

  /** The workers that have not ended. */
  get workers() {
    return [...this.#workers];
  }

  get hasReadyWorker() {
    return this.workers.some(({ state }) => state === 'ready');
  }

  /** restarts: workers started in place of one that had ended; reloads; retired: workers replaced one by one. */
  get counters() {
    return { restarts: this.#restarts, reloads: this.#reloads, retired: this.#retired };
  }

  /** With schedule 'shared': that listener is closed. @param {number} number */
  closeListener(number) {
    for (const worker of this.#workers) worker.closeListener(number);
  }

  /** Kills workers whose loop does not turn: see WorkerHandle.checkHeartbeat(). */
  checkHeartbeats() {
    for (const worker of this.#workers) worker.checkHeartbeat();
  }

  // Ending.

  /**
   * Starts no more workers, and stops those that run, once they have the connections that wait
   * for them. 'end' follows when they have ended.
   *
   * @param {{ moves: boolean }} options moves: idle connections wait for workers of another primary
   */
  stop({ moves }) {
    this.#isStopping = true;
    this.#replacement?.cancel(plain('ERR_CLUSTER_CLOSED'));
    for (const slot of this.#slots) clearTimeout(slot.timer);
    this.#drainOnceAssigned(Date.now(), moves);
  }

  #drainOnceAssigned(since, moves) {
    const { closeTimeout } = this.#options;
    const canWait = closeTimeout === 0 || Date.now() - since < closeTimeout;
    if (canWait && this.#slots.some(({ worker }) => worker?.state === 'ready' || worker?.state === 'starting')) {
      if (this.#dispatcher.getCounters().pending > 0) {
        setTimeout(() => this.#drainOnceAssigned(since, moves), LOOK_INTERVAL);
        return;
      }
    }
    for (const worker of this.#workers) this.#drain(worker, { moves });
    this.#endIfDone();
  }

  /** Kills all workers. */
  kill() {
    for (const worker of this.#workers) worker.kill();
  }

  #endIfDone() {
    if (this.#workers.size > 0) return;
    this.#reserve.release();
    this.emit('end');
  }
}

module.exports = { Supervisor };
