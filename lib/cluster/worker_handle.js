'use strict';

// One worker, as the primary sees it: its state, the channel of the cluster's own messages
// (the control channel), the channel of the program's messages, and the socket on which its
// connections go. What differs between a process and a thread is in worker_process.js and
// worker_thread.js.
//
//   starting --READY--> ready --stop()--> stopping --exit--> ended
//       any state --exit, kill()--> ended

const { ConnectionSender } = require('../base/binding.js');
const { errnoException, plain } = require('../base/errors.js');
const { Channel } = require('../channel/index.js');
const { closeAll, kHandOver } = require('../fd/descriptor.js');
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
  message,
  typeOf,
} = require('./marks.js');
const { Messenger, kDrainMessages, kMessages } = require('./messages.js');
const { startProcess } = require('./worker_process.js');
const { startThread } = require('./worker_thread.js');

const MAX_UNANSWERED = 4; // Pings: one more, and the worker is stuck.
const DRAIN_INTERVAL = 5; // Milliseconds between two looks whether a worker has what was sent to it.

/**
 * Events: 'ready'; 'message' (message, descriptors) and 'drain', of its program; 'exit' (code,
 * signal, moved), once, after which it has no connection and no message comes; of an unchanged
 * program, 'listen' (request, reply) and 'unlisten' (index of the listener).
 */
class WorkerHandle extends Messenger {
  #dispatcher;
  #sender = null;
  #control = null;
  #program = null; // What startProcess() or startThread() returned.
  #timers = new Set();
  #unanswered = 0; // Pings.
  #isDeaf = false; // It has closed the socket on which connections come: soon it is killed.

  constructor(id, options, dispatcher) {
    super('ERR_CHANNEL_CLOSED');
    this.id = id;
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
      this.#control.on('message', (received, descriptors) => {
        closeAll(descriptors); // The cluster's messages have none.
        this.#onMessage(received);
      });
      this.#control.send(message(CONNECTIONS), [theirConnections]);
      const start = options.kind === 'thread' ? startThread : startProcess;
      this.#program = start(this.id, options, theirControl, {
        onFailed: (error) => this.#fail(error),
        onEnded: (code, signal) => this.#ended(code, signal),
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
    this.#sender.reader = () => (this.#isDeaf = true);
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
      if (!this.#isDeaf) this.#unanswered = 0;
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
    this.#tell(LISTENING, { ...answer, id });
  }

  #tell(type, body = undefined) {
    if (this.#control?.isOpen) this.#control.send(message(type, body));
  }

  /**
   * Sends no more connections; once the worker has those that were sent, tells it to drain and
   * end. After `timeout` milliseconds it is killed.
   */
  stop(timeout) {
    if (this.state === 'ended' || this.state === 'stopping') return;
    this.state = 'stopping';
    this.#sender?.pause();
    if (timeout > 0) this.#after(timeout, () => this.kill());
    this.#stopWhenTaken();
  }

  #stopWhenTaken() {
    if (this.state !== 'stopping' || this.#sender === null) return;
    if (this.#sender.getCounters().unacknowledged > 0) {
      this.#after(DRAIN_INTERVAL, () => this.#stopWhenTaken());
      return;
    }
    this.#tell(STOP);
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
   * Asks it whether its loop still turns, and kills it if it has not answered the last few
   * times. They are counted, and not timed: this process may have been busy itself.
   */
  ping() {
    if (this.state !== 'ready') return;
    if (this.#unanswered >= MAX_UNANSWERED) this.kill();
    this.#unanswered += 1;
    this.#tell(PING); // Without the channel it cannot answer, and is killed.
  }

  stats() {
    const { id, pid, threadId, state, startedAt, restarts } = this;
    const counters = state === 'ended' || this.#sender === null ? {} : this.#sender.getCounters();
    const { assigned = 0, active = 0, unacknowledged = 0, waitedFor = 0, kept = 0 } = counters;
    return { id, pid, threadId, state, startedAt, restarts, assigned, active, unacknowledged, waitedFor, kept };
  }
}

module.exports = { WorkerHandle };
