'use strict';

// One worker, as the primary sees it: its state, the channel of the cluster's own messages
// (the control channel), the channel of the program's messages, and the socket on which its
// connections go. What differs between a process and a thread is in worker_process.js and
// worker_thread.js.
//
//   starting --READY--> ready --stop()--> draining --exit--> ended
//       any state --exit, kill()--> ended

const { ConnectionSender, shutDownReading } = require('../base/binding.js');
const { UV_EINVAL } = require('../base/constants.js');
const { errnoException, plain } = require('../base/errors.js');
const { Channel } = require('../channel/index.js');
const { Descriptor, closeAll, kHandOver } = require('../fd/descriptor.js');
const { socketpair } = require('../descriptors/socketpair.js');
const { drawLimits } = require('./limits.js');
const {
  ALL_MARKS,
  CLOSE_LISTENER,
  CONNECTIONS,
  IS_IDLE,
  IS_TCP,
  LISTEN,
  LISTENING,
  MOVED,
  READY,
  RETIRE,
  STOP,
  UNLISTEN,
  message,
  typeOf,
} = require('./marks.js');
const { Messenger, kDrainMessages, kMessages } = require('./messages.js');
const { startProcess } = require('./worker_process.js');
const { startThread } = require('./worker_thread.js');

const REASONS = ['requests', 'memory', 'closed'];
const MAX_STILL = 4; // Looks at its heartbeat that show no change: one more, and the worker is stuck.
const DEAF_TIME = 1000; // Milliseconds from the end of a socket or channel of a worker to its own end.
const DRAIN_INTERVAL = 5; // Milliseconds between two looks whether a worker has what was sent to it.

/**
 * Events: 'ready': admit() may follow; 'retire' (reason): another is to take its place, and then
 * stop() follows; 'message' (message, descriptors) and 'drain', of its program; 'exit' (code,
 * signal, moved), once, after which it has no connection and no message comes; of an unchanged
 * program, 'listen' (request, reply) and 'unlisten' (index of the listener).
 */
class WorkerHandle extends Messenger {
  #dispatcher;
  #sender = null;
  #control = null;
  #program = null; // What startProcess() or startThread() returned.
  #timers = new Set();
  #heartbeat = 0; // As last seen,
  #still = 0; // and how often since it was new.
  #moves = false;
  #isAdmitted = false;

  constructor(id, options, dispatcher, slot) {
    super('ERR_CHANNEL_CLOSED');
    this.id = id;
    this.slot = slot; // Which of the `workers`: its successor has the same.
    this.kind = options.kind;
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

  #start(options) {
    const opened = [];
    const pair = (type) => {
      const ends = socketpair({ type });
      opened.push(...ends);
      return ends;
    };
    try {
      const [connections, theirConnections] = pair('seqpacket');
      const [control, theirControl] = pair('stream');
      this.#openSender(connections);
      this.#control = new Channel(control);
      this.#control.on('message', (received, descriptors) => this.#onMessage(received, descriptors));
      this.#control.once('close', () => this.#onDeaf());
      const { closeTimeout, heartbeat } = options;
      const connect = { ...message(CONNECTIONS), closeTimeout, heartbeat, limits: drawLimits(options) };
      opened.push(this.#createPage());
      this.#control.send(connect, [theirConnections, opened.at(-1)]);
      const start = options.kind === 'thread' ? startThread : startProcess;
      this.#program = start(this.id, options, theirControl, {
        onFailed: (error) => this.#fail(error),
        onEnded: (code, signal) => this.#onEnded(code, signal),
      });
      theirControl.close();
    } catch (error) {
      closeAll(opened);
      throw error;
    }
    if (options.readyTimeout > 0) this.#after(options.readyTimeout, () => this.#onLate());
  }

  #openSender(descriptor) {
    this.#sender = new ConnectionSender();
    descriptor[kHandOver]((fd) => {
      const err = this.#sender.open(fd);
      if (err !== 0) throw errnoException(err, 'open');
      return true;
    });
    this.#sender.reader = () => this.#onDeaf();
  }

  #createPage() {
    const fd = this.#sender.createPage();
    if (fd < 0) throw errnoException(fd, 'memfd_create');
    return Descriptor.from(fd);
  }

  /** The process's id; for a thread, that of the primary. undefined if it could not be started. */
  get pid() {
    return this.#program?.pid;
  }

  /** The number of the thread; undefined for a process. */
  get threadId() {
    return this.#program?.threadId;
  }

  /** The channel of the program's messages; null if the worker could not be started. */
  [kMessages]() {
    return this.#program?.messages ?? null;
  }

  #after(delay, act) {
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      act();
    }, delay);
    this.#timers.add(timer);
  }

  // It has closed the socket on which connections come, or its channel. Its exit follows; a worker
  // that went on would leave waiting what was sent to it.
  #onDeaf() {
    if (this.state !== 'ended') this.#after(DEAF_TIME, () => this.kill());
  }

  #onLate() {
    if (this.state === 'starting') this.kill(plain('ERR_CLUSTER_WORKER_NOT_READY'));
  }

  #onMessage(received, descriptors) {
    if (typeOf(received) === MOVED) {
      this.#takeBack(received.moved, descriptors);
      return;
    }
    closeAll(descriptors);
    if (typeOf(received) === READY && this.state === 'starting') {
      this.state = 'ready';
      this.wasReady = true;
      this.emit('ready');
    } else if (typeOf(received) === RETIRE && this.state === 'ready' && REASONS.includes(received.reason)) {
      if (received.reason === 'closed') this.#sender.pause();
      this.emit('retire', received.reason);
    } else if (typeOf(received) === LISTEN) {
      this.emit('listen', received, (answer) => this.#answer(received.id, answer));
    } else if (typeOf(received) === UNLISTEN) {
      this.emit('unlisten', received.listener);
    }
  }

  #answer(id, answer) {
    if (this.state === 'ready') this.#sender.resume(); // The program may have closed its servers before.
    this.#tell(LISTENING, { ...answer, id });
  }

  #tell(type, properties) {
    if (this.#control?.isOpen) this.#control.send({ ...message(type), ...properties });
  }

  // Connections of an http server that has stopped, for other workers.
  #takeBack(moved, descriptors) {
    descriptors.forEach((descriptor, index) => {
      if (isConnection(descriptor, moved?.[index])) {
        const [id, marks] = moved[index];
        descriptor[kHandOver]((fd) => this.#dispatcher.takeBack(this.#sender, id, fd, marks | IS_IDLE) === 0);
      }
      descriptor.close();
    });
  }

  /** From now on it gets connections. */
  admit() {
    this.#isAdmitted = true;
    const err = this.#dispatcher.addWorker(this.#sender, this.slot);
    if (err === UV_EINVAL)
      this.#onDeaf(); // It said that it is ready, and has ended.
    else if (err !== 0) this.kill(errnoException(err, 'dup')); // It lacks a listening socket.
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

  /** With schedule 'shared': it is to accept no more on that listener. @param {number} number */
  closeListener(number) {
    if (this.#isAdmitted) this.#tell(CLOSE_LISTENER, { number });
  }

  #stopWhenTaken() {
    if (this.state !== 'draining' || this.#sender === null) return;
    if (this.#sender.getCounters().unacknowledged > 0) {
      this.#after(DRAIN_INTERVAL, () => this.#stopWhenTaken());
      return;
    }
    this.#tell(STOP, { moves: this.#moves });
  }

  /**
   * Ends it at once: a process by SIGKILL, a thread by terminate(). The connections that it has
   * not used go to others once it has ended.
   */
  kill(error = null) {
    if (this.state === 'ended') return;
    this.error ??= error;
    this.#program?.kill();
  }

  // A worker that could not be started.
  #fail(error) {
    this.error = error;
    process.nextTick(() => this.#ended(null, null));
  }

  // What the worker has sent still comes. A process that it has started may have the channel, too:
  // the end would not come.
  #onEnded(code, signal) {
    if (this.#control.closed) {
      this.#ended(code, signal);
      return;
    }
    this.#control.once('close', () => this.#ended(code, signal));
    shutDownReading(this.#control.fd);
  }

  // The worker has ended, so it can use no connection any more. What its program has sent still
  // comes, and then 'exit'.
  #ended(code, signal) {
    if (this.state === 'ended') return;
    this.state = 'ended';
    for (const timer of this.#timers) clearTimeout(timer);
    this.#control?.destroy();
    const moved = this.#sender === null ? 0 : this.#dispatcher.removeWorker(this.#sender);
    this.#sender?.close();
    this[kDrainMessages](() => this.emit('exit', code, signal, Math.max(moved, 0)));
  }

  /**
   * Looks whether its loop still turns, and kills it if its heartbeat has not changed in the last
   * few looks. They are counted, and not timed: this process may have been busy itself.
   */
  checkHeartbeat() {
    if (this.state !== 'ready' && this.state !== 'draining') return;
    const heartbeat = this.#sender?.getCounters().heartbeat;
    if (heartbeat !== this.#heartbeat) this.#still = 0;
    else if (this.#still >= MAX_STILL) this.kill();
    this.#still += 1;
    this.#heartbeat = heartbeat;
  }

  stats() {
    const { id, slot, pid, threadId, state, startedAt, restarts } = this;
    const counters = state === 'ended' || this.#sender === null ? {} : this.#sender.getCounters();
    const { assigned = 0, active = 0, unacknowledged = 0, waitedFor = 0, kept = 0, refused = 0 } = counters;
    const { accepted = 0, closed = 0, loopDelay = 0 } = counters;
    const own = { id, slot, pid, threadId, state, startedAt, restarts };
    return { ...own, assigned, accepted, closed, active, unacknowledged, refused, waitedFor, kept, loopDelay };
  }
}

// What a worker sends is looked at: the worker that gets it relies on the marks.
function isConnection(descriptor, given) {
  const [id, marks] = Array.isArray(given) ? given : [];
  if (!Number.isInteger(id) || !Number.isInteger(marks) || (marks & ALL_MARKS) !== marks) return false;
  return descriptor.type === ((marks & IS_TCP) !== 0 ? 'tcp' : 'unix');
}

module.exports = { WorkerHandle };
