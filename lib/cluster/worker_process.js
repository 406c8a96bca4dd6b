'use strict';

// One worker, as the primary sees it: its process, the channel to it, and the socket on which
// its connections go.
//
//   starting --READY--> ready --stop()--> draining --exit--> ended
//       any state --exit, kill()--> ended

const EventEmitter = require('node:events');

const { ConnectionSender } = require('../base/binding.js');
const { errnoException, plain } = require('../base/errors.js');
const { spawn } = require('../child_process/spawn.js');
const { closeAll, kHandOver } = require('../fd/descriptor.js');
const { socketpair } = require('../descriptors/socketpair.js');
const { drawLimits } = require('./limits.js');
const {
  CONNECTIONS,
  IS_IDLE,
  IS_TAKEN_AT_ONCE,
  IS_TCP,
  MOVED,
  PING,
  PONG,
  READY,
  RETIRE,
  STOP,
  WORKER_VARIABLE,
  message,
  typeOf,
} = require('./marks.js');

const MAX_UNANSWERED = 4; // Pings: one more, and the worker is stuck.
const MAX_LAST_WORDS = 1000; // Milliseconds in which what a worker has sent comes after its end.
const DRAIN_INTERVAL = 5; // Milliseconds between two looks whether a worker has what was sent to it.

/**
 * Events: 'ready': admit() may follow; 'retire' (reason): another is to take its place, and then
 * stop() follows; 'exit' (code, signal, moved), once, after which it has no connection.
 */
class WorkerProcess extends EventEmitter {
  #dispatcher;
  #sender = null;
  #child = null;
  #timers = new Set();
  #unanswered = 0; // Pings.
  #moves = false;

  constructor(id, options, dispatcher) {
    super();
    this.id = id;
    this.state = 'starting';
    this.startedAt = Date.now();
    this.wasReady = false;
    this.error = null; // Why it was killed or could not be started.
    this.#dispatcher = dispatcher;
    try {
      this.#start(options);
    } catch (error) {
      this.#fail(error);
    }
  }

  #start(options) {
    const { exec, args, env, execArgv, readyTimeout } = options;
    const [ours, theirs] = socketpair({ type: 'seqpacket' });
    this.#sender = new ConnectionSender();
    ours[kHandOver]((fd) => {
      const err = this.#sender.open(fd);
      if (err !== 0) throw errnoException(err, 'open');
      return true;
    });
    this.#child = spawn(process.execPath, [...execArgv, exec, ...args], {
      env: { ...env, [WORKER_VARIABLE]: String(this.id) },
      pipewrightChannel: true,
      stdio: ['ignore', 'inherit', 'inherit'],
    });
    this.#child.once('error', (error) => {
      if (this.pid === undefined) this.#fail(error);
    });
    this.#child.once('exit', (code, signal) => this.#onExit(code, signal));
    const channel = this.#child.pipewrightChannel;
    if (channel === undefined) {
      theirs.close();
      return; // The child's 'error' follows.
    }
    channel.on('message', (received, descriptors) => this.#onMessage(received, descriptors));
    channel.send({ ...message(CONNECTIONS), limits: drawLimits(options) }, [theirs]);
    if (readyTimeout > 0) this.#after(readyTimeout, () => this.#onLate());
  }

  get pid() {
    return this.#child?.pid;
  }

  #after(delay, act) {
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      act();
    }, delay);
    this.#timers.add(timer);
  }

  #onLate() {
    if (this.state === 'starting') this.kill(plain('ERR_CLUSTER_WORKER_NOT_READY'));
  }

  #onMessage(received, descriptors) {
    if (typeOf(received) === MOVED) {
      this.#adopt(received.moved, descriptors);
      return;
    }
    closeAll(descriptors);
    if (typeOf(received) === READY && this.state === 'starting') {
      this.state = 'ready';
      this.wasReady = true;
      this.emit('ready');
    } else if (typeOf(received) === PONG) {
      this.#unanswered = 0;
    } else if (typeOf(received) === RETIRE && this.state === 'ready') {
      if (received.reason === 'closed') this.#sender.pause();
      this.emit('retire', received.reason);
    }
  }

  // Connections of an http server that has stopped, for other workers.
  #adopt(moved, descriptors) {
    descriptors.forEach((descriptor, index) => {
      const [id, marks] = moved?.[index] ?? [];
      if (isConnection(descriptor, marks)) {
        const isTakenAtOnce = (marks & IS_TAKEN_AT_ONCE) !== 0;
        descriptor[kHandOver]((fd) => {
          return this.#dispatcher.adopt(this.#sender, id, fd, marks | IS_IDLE, isTakenAtOnce) === 0;
        });
      }
      descriptor.close();
    });
  }

  /** From now on it gets connections. */
  admit() {
    this.#dispatcher.addWorker(this.#sender);
  }

  /**
   * Sends no more connections; once the worker has those that were sent, tells it to drain and
   * end. After `timeout` milliseconds it is killed. May be called again, without `moves`.
   *
   * @param {number} timeout
   * @param {object} [options]
   * @param {boolean} [options.moves] its idle connections move to other workers; if not, they are closed
   */
  stop(timeout, { moves = false } = {}) {
    if (this.state === 'ended' || (this.state === 'draining' && !this.#moves)) return;
    this.#moves = moves;
    if (this.state !== 'draining') {
      this.state = 'draining';
      this.#sender?.pause();
      if (timeout > 0) this.#after(timeout, () => this.kill());
    }
    this.#stopWhenTaken();
  }

  #stopWhenTaken() {
    if (this.state !== 'draining' || this.#sender === null) return;
    if (this.#sender.getCounters().unacknowledged > 0) {
      this.#after(DRAIN_INTERVAL, () => this.#stopWhenTaken());
      return;
    }
    const channel = this.#child?.pipewrightChannel;
    if (channel?.isOpen) channel.send({ ...message(STOP), moves: this.#moves });
  }

  /** Kills it. The connections that it has not used go to others once it has ended. */
  kill(error = null) {
    if (this.state === 'ended') return;
    this.error ??= error;
    this.#child?.kill('SIGKILL');
  }

  // A process that could not be started.
  #fail(error) {
    this.error = error;
    process.nextTick(() => this.#ended(null, null));
  }

  // What the worker has sent still comes. The process has ended, and so does its channel, unless
  // a process that it forked has a copy.
  #onExit(code, signal) {
    const channel = this.#child.pipewrightChannel;
    const end = () => this.#ended(code, signal);
    if (channel === undefined || channel.closed) {
      end();
      return;
    }
    channel.once('close', end);
    this.#after(MAX_LAST_WORDS, end);
  }

  // The process has ended, so it can use no connection any more.
  #ended(code, signal) {
    if (this.state === 'ended') return;
    this.state = 'ended';
    for (const timer of this.#timers) clearTimeout(timer);
    this.#child?.pipewrightChannel?.destroy();
    const moved = this.#sender === null ? 0 : this.#dispatcher.removeWorker(this.#sender);
    this.#sender?.close();
    this.emit('exit', code, signal, Math.max(moved, 0));
  }

  /**
   * Asks it whether its loop still turns, and kills it if it has not answered the last few
   * times. They are counted, and not timed: this process may have been busy itself.
   */
  ping() {
    const channel = this.#child?.pipewrightChannel;
    if ((this.state !== 'ready' && this.state !== 'draining') || !channel?.isOpen) return;
    if (this.#unanswered >= MAX_UNANSWERED) this.kill();
    this.#unanswered += 1;
    channel.send(message(PING));
  }

  stats() {
    const { id, pid, state, startedAt } = this;
    const counters = state === 'ended' || this.#sender === null ? {} : this.#sender.getCounters();
    const { assigned = 0, active = 0, unacknowledged = 0, waitedFor = 0, kept = 0 } = counters;
    return { id, pid, state, startedAt, assigned, active, unacknowledged, waitedFor, kept };
  }
}

// What a worker sends is looked at: the worker that gets it relies on the marks.
function isConnection(descriptor, marks) {
  return descriptor.type === ((marks & IS_TCP) !== 0 ? 'tcp' : 'unix');
}

module.exports = { WorkerProcess };
