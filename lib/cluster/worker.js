'use strict';

// `worker`: what a worker's program sees of its cluster.

const { plain } = require('../base/errors.js');
const { Server } = require('../net/server.js');
const {
  CONNECTIONS,
  IS_TAKEN_AT_ONCE,
  IS_TCP,
  LISTENING,
  NUMBER,
  PAUSE,
  PING,
  PONG,
  READY,
  STOP,
  kAsk,
  kAttend,
  kTell,
  message,
  typeOf,
} = require('./marks.js');
const { Messenger, kMessages } = require('./messages.js');
const link = require('./primary_link.js');
const { Receiver } = require('./receiver.js');
const { sourceOf } = require('./sources.js');

/**
 * Events: 'connection' (socket of pipewright/net); 'stop': no more connections come; 'message'
 * (message, descriptors) and 'drain', of the primary's program.
 */
class Worker extends Messenger {
  #control = null; // The channel of the cluster's own messages.
  #receiver = null;
  #socket = null; // The descriptor on which connections will come.
  #server = null;
  #source = null;
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
    this.#control.once('close', () => this.#stop());
  }

  #onMessage(received, descriptors) {
    if (typeOf(received) === CONNECTIONS) {
      this.#socket = descriptors[0];
      this.#receive();
    } else {
      for (const descriptor of descriptors) descriptor.close();
      if (typeOf(received) === PING) this.#control.send(message(PONG));
      else if (typeOf(received) === STOP) this.#stop();
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
    this.#server = server;
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
    if (this.#isReady) return;
    this.#isReady = true;
    if (this.#source === null) {
      this.serve(
        new Server((socket) => {
          if (!this.emit('connection', socket)) socket.destroy();
        }),
      );
    }
    this.#receive();
    this.#control.send(message(READY));
  }

  #receive() {
    if (!this.#isReady || this.#socket === null) return;
    const isTakenAtOnce = (marks) => (marks & IS_TAKEN_AT_ONCE) !== 0;
    this.#receiver = new Receiver(this.#socket, {
      isTakenAtOnce,
      onConnection: (fd, id, marks) =>
        this.#source.take(fd, (marks & IS_TCP) !== 0, id, this.#receiver, marks & NUMBER),
      onEnd: () => this.#stop(),
    });
    this.#socket = null;
  }

  #onServerClosed() {
    if (!this.#isStopping && this.#control.isOpen) this.#control.send(message(PAUSE));
  }

  // The process ends once its connections have, if nothing else keeps it.
  #stop() {
    if (this.#isStopping) return;
    this.#isStopping = true;
    if (this.#server?.listening) this.#server.close();
    this.#receiver?.unref();
    this.#socket?.close();
    this.#control.unref();
    link.openMessages()?.unref(); // The program may have made it keep the process running.
    this.emit('stop');
  }
}

const worker = new Worker();

module.exports = { worker };
