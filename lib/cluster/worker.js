'use strict';

// `worker`: what a worker's program sees of its cluster.

const { isMainThread } = require('node:worker_threads');

const { ignoreParentDeath } = require('../base/binding.js');
const { plain } = require('../base/errors.js');
const { MAX_FRAME_DESCRIPTORS } = require('../channel/framing.js');
const { closeAll } = require('../fd/descriptor.js');
const { Server } = require('../net/server.js');
const {
  CLOSE_LISTENER,
  CONNECTIONS,
  IS_TAKEN_AT_ONCE,
  LISTENING,
  MOVED,
  READY,
  RETIRE,
  STOP,
  kAsk,
  kAttend,
  kTell,
  message,
  typeOf,
} = require('./marks.js');
const { Limits } = require('./limits.js');
const { Messenger, kMessages } = require('./messages.js');
const link = require('./primary_link.js');
const { Receiver } = require('./receiver.js');
const { SharedListeners } = require('./shared_listeners.js');
const { sourceOf } = require('./sources.js');

/**
 * Events: 'connection' (socket of pipewright/net); 'stop': no more connections come; 'message'
 * (message, descriptors) and 'drain', of the primary's program.
 */
class Worker extends Messenger {
  #control = null; // The channel of the cluster's own messages.
  #receiver = null;
  #pending = null; // { socket, page, heartbeat }: what a Receiver is made of, once the program is ready.
  #source = null;
  #shared = new SharedListeners();
  #closeTimeout = 0;
  #isReady = false;
  #isStopping = false;
  #questions = new Map(); // By number: what takes the primary's answer.
  #lastQuestion = 0;

  constructor() {
    super('ERR_CLUSTER_NO_WORKER');
  }

  /** Whether this process or thread was started by a cluster of pipewright. */
  get isWorker() {
    return link.id !== undefined;
  }

  /** The worker's number; each one that is started has another. undefined if this is no worker. */
  get id() {
    return link.id;
  }

  [kMessages]() {
    return link.openMessages();
  }

  #open() {
    if (this.#control !== null) return;
    if (!this.isWorker) throw plain('ERR_CLUSTER_NO_WORKER');
    this.#control = link.openControl();
    this.#control.on('message', (received, descriptors) => this.#onMessage(received, descriptors));
    this.#control.once('close', () => this.#onPrimaryGone());
    // A terminal sends these to the primary, too, which decides what follows.
    if (isMainThread) for (const signal of ['SIGINT', 'SIGHUP']) process.on(signal, () => {});
  }

  #onMessage(received, descriptors) {
    if (typeOf(received) === CONNECTIONS) {
      const [socket, page] = descriptors;
      this.#pending = { socket, page, heartbeat: received.heartbeat, limits: received.limits };
      this.#closeTimeout = received.closeTimeout;
      this.#receive();
    } else {
      closeAll(descriptors);
      if (typeOf(received) === CLOSE_LISTENER) this.#shared.close(received.number);
      else if (typeOf(received) === STOP) this.#stop(received.moves === true);
      else if (typeOf(received) === LISTENING) this.#onAnswer(received);
    }
  }

  #onAnswer(received) {
    const take = this.#questions.get(received.id);
    this.#questions.delete(received.id);
    take?.(received);
  }

  /** Hears of the primary's end and its wish that this process ends, before there is a server. */
  [kAttend]() {
    this.#open();
    this.#control.unref();
  }

  /** Sends a message that the primary answers. If the primary has gone, no answer comes. */
  [kAsk](type, body, take) {
    this.#open();
    this.#control.ref();
    const id = ++this.#lastQuestion;
    this.#questions.set(id, take);
    if (this.#control.isOpen) this.#control.send(message(type, { id, ...body }));
  }

  [kTell](type, body) {
    if (this.#control?.isOpen) this.#control.send(message(type, body));
  }

  /**
   * Gives the connections to a server: of node:net, http, https, http2 or pipewright/net, or of
   * a package that is built on these. It is listening from then on, and its close() ends that.
   *
   * @param {any} server not listening
   * @returns {any} the server
   * @throws ERR_CLUSTER_NO_WORKER, ERR_SERVER_ALREADY_LISTEN
   */
  serve(server) {
    this.#open();
    if (this.#source !== null || server.listening) throw plain('ERR_SERVER_ALREADY_LISTEN');
    this.#source = sourceOf(server, () => this.#onServerClosed());
    return server;
  }

  /**
   * Says that the program is ready for connections. Without serve() they come as 'connection'.
   *
   * @throws ERR_CLUSTER_NO_WORKER
   */
  ready() {
    this.#open();
    if (this.#isReady || this.#isStopping) return;
    this.#isReady = true;
    if (this.#source === null) {
      this.serve(
        new Server((socket) => {
          if (!this.emit('connection', socket)) socket.destroy();
        }),
      );
    }
    this.#receive();
    if (isMainThread) ignoreParentDeath();
    this.#control.send(message(READY));
  }

  #receive() {
    if (!this.#isReady || this.#pending === null) return;
    const { socket, page, heartbeat } = this.#pending;
    const limits = new Limits(this.#pending.limits, (reason) => this.#retire(reason));
    const count = () => limits.count();
    const countsConnections = limits.hasMaxRequests && !this.#source.countRequests(count);
    const isTakenAtOnce = (marks) => (marks & IS_TAKEN_AT_ONCE) !== 0;
    this.#receiver = new Receiver(socket, page, {
      heartbeat,
      isTakenAtOnce,
      onConnection: (fd, id, marks) => {
        if (countsConnections) count();
        return this.#source.take(fd, id, marks, this.#receiver);
      },
      onListener: (fd, marks) => this.#shared.open(fd, marks, this.#receiver),
      onEnd: () => this.#stop(false),
    });
    this.#pending = null;
  }

  // The program has closed its server itself.
  #onServerClosed() {
    this.#shared.closeAll();
    if (!this.#isStopping) this.#retire('closed');
  }

  // It goes on until another worker is ready.
  #retire(reason) {
    if (this.#control.isOpen) this.#control.send({ ...message(RETIRE), reason });
  }

  // Without a primary this process has to end itself if its program goes on.
  #onPrimaryGone() {
    this.#stop(false);
    if (this.#closeTimeout > 0) setTimeout(() => process.exit(), this.#closeTimeout).unref();
  }

  // The process ends once its connections have, if nothing else keeps it. They may move to
  // other workers, until a second call says that there are none.
  #stop(moves) {
    if (this.#isStopping) {
      if (!moves) this.#source?.stop(null);
      return;
    }
    this.#isStopping = true;
    this.#shared.closeAll();
    this.#source?.stop(moves ? (connections) => this.#move(connections) : null);
    this.#receiver?.unref();
    this.#pending?.socket.close();
    this.#pending?.page.close();
    this.#pending = null;
    this.#control.unref();
    link.openMessages()?.unref(); // The program may have made it keep the process running.
    this.emit('stop');
  }

  // The primary gets them before it hears that they are closed here: until then it may have a
  // copy, and would give that to a second worker if this one died.
  #move(connections) {
    for (let at = 0; at < connections.length; at += MAX_FRAME_DESCRIPTORS) {
      const some = connections.slice(at, at + MAX_FRAME_DESCRIPTORS);
      const descriptors = some.map(({ descriptor }) => descriptor);
      if (this.#control.isOpen) {
        this.#control.send({ ...message(MOVED), moved: some.map(({ id, marks }) => [id, marks]) }, descriptors);
      } else {
        closeAll(descriptors);
      }
    }
  }
}

const worker = new Worker();

module.exports = { worker };
