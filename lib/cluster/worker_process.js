'use strict';

// One worker, as the primary sees it: its process, the channel to it, and the socket on which
// its connections go.
//
//   starting --READY--> ready --stop()--> stopping --exit--> ended
//       any state --exit, kill()--> ended

const EventEmitter = require('node:events');
const path = require('node:path');

const { ConnectionSender } = require('../base/binding.js');
const { errnoException, plain } = require('../base/errors.js');
const { spawn } = require('../child_process/spawn.js');
const { kHandOver } = require('../fd/descriptor.js');
const { socketpair } = require('../descriptors/socketpair.js');
const {
  CONNECTIONS,
  LISTEN,
  LISTENING,
  PAUSE,
  PING,
  PONG,
  READY,
  STOP,
  UNLISTEN,
  WORKER_VARIABLE,
  message,
  typeOf,
} = require('./marks.js');

const PRELOAD = path.join(__dirname, 'preload.js');
const NODES_VARIABLE = 'NODE_UNIQUE_ID'; // By which node:cluster knows that it is in a worker.
const MAX_UNANSWERED = 4; // Pings: one more, and the worker is stuck.
const DRAIN_INTERVAL = 5; // Milliseconds between two looks whether a worker has what was sent to it.

/**
 * Events: 'ready'; 'exit' (code, signal), once, after which it has no connection; of an unchanged
 * program, 'listen' (request, reply) and 'unlisten' (number of the listener).
 */
class WorkerProcess extends EventEmitter {
  #dispatcher;
  #sender = null;
  #child = null;
  #timers = new Set();
  #unanswered = 0; // Pings.

  constructor(id, options, dispatcher) {
    super();
    this.id = id;
    this.state = 'starting';
    this.startedAt = Date.now();
    this.restarts = 0; // How many have ended in its place before.
    this.wasReady = false;
    this.error = null; // Why it was killed or could not be started.
    this.#dispatcher = dispatcher;
    try {
      this.#start(options);
    } catch (error) {
      this.#fail(error);
    }
  }

  #start({ exec, args, env, execArgv, interceptListen, readyTimeout }) {
    const [ours, theirs] = socketpair({ type: 'seqpacket' });
    this.#sender = new ConnectionSender();
    ours[kHandOver]((fd) => {
      const err = this.#sender.open(fd);
      if (err !== 0) throw errnoException(err, 'open');
      return true;
    });
    const id = String(this.id);
    const preload = interceptListen ? ['--require', PRELOAD] : [];
    this.#child = spawn(process.execPath, [...execArgv, ...preload, exec, ...args], {
      env: { ...env, [WORKER_VARIABLE]: id, ...(interceptListen && { [NODES_VARIABLE]: id }) },
      pipewrightChannel: true,
      stdio: ['ignore', 'inherit', 'inherit', ...(interceptListen ? ['ipc'] : [])],
    });
    if (interceptListen) this.#child.on('message', (received) => this.emit('message', received));
    this.#child.once('error', (error) => {
      if (this.pid === undefined) this.#fail(error);
    });
    this.#child.once('exit', (code, signal) => this.#ended(code, signal));
    const channel = this.#child.pipewrightChannel;
    if (channel === undefined) {
      theirs.close();
      return; // The child's 'error' follows.
    }
    channel.on('message', (received) => this.#onMessage(received));
    channel.send(message(CONNECTIONS), [theirs]);
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

  #onMessage(received) {
    if (typeOf(received) === READY && this.state === 'starting') {
      this.state = 'ready';
      this.wasReady = true;
      this.#dispatcher.addWorker(this.#sender);
      this.emit('ready');
    } else if (typeOf(received) === PONG) {
      this.#unanswered = 0;
    } else if (typeOf(received) === PAUSE) {
      this.#sender.pause();
    } else if (typeOf(received) === LISTEN) {
      this.emit('listen', received, (answer) => this.#answer(received.id, answer));
    } else if (typeOf(received) === UNLISTEN) {
      this.emit('unlisten', received.listener);
    }
  }

  #answer(id, answer) {
    if (this.state === 'ready') this.#sender.resume(); // The program may have closed its servers before.
    const channel = this.#child.pipewrightChannel;
    if (channel?.isOpen) channel.send(message(LISTENING, { ...answer, id }));
  }

  /**
   * Sends no more connections; once the worker has those that were sent, tells it to drain and
   * end. After `timeout` milliseconds it is killed.
   */
  stop(timeout) {
    if (this.state === 'ended' || this.state === 'stopping') return;
    this.state = 'stopping';
    this.#sender.pause();
    if (timeout > 0) this.#after(timeout, () => this.kill());
    this.#stopWhenTaken();
  }

  #stopWhenTaken() {
    if (this.state !== 'stopping') return;
    if (this.#sender.getCounters().unacknowledged > 0) {
      this.#after(DRAIN_INTERVAL, () => this.#stopWhenTaken());
      return;
    }
    if (this.#child.pipewrightChannel?.isOpen) this.#child.pipewrightChannel.send(message(STOP));
  }

  /** Kills it. The connections that it has not used go to others once it has ended. */
  kill(error = null) {
    if (this.state === 'ended') return;
    this.error ??= error;
    this.#child.kill('SIGKILL');
  }

  // A process that could not be started.
  #fail(error) {
    this.error = error;
    process.nextTick(() => this.#ended(null, null));
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
    if (this.state !== 'ready' || !channel?.isOpen) return;
    if (this.#unanswered >= MAX_UNANSWERED) this.kill();
    this.#unanswered += 1;
    channel.send(message(PING));
  }

  stats() {
    const { id, pid, state, startedAt, restarts } = this;
    const counters = state === 'ended' || this.#sender === null ? {} : this.#sender.getCounters();
    const { assigned = 0, active = 0, unacknowledged = 0, waitedFor = 0, kept = 0 } = counters;
    return { id, pid, state, startedAt, restarts, assigned, active, unacknowledged, waitedFor, kept };
  }
}

module.exports = { WorkerProcess };
