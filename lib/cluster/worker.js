'use strict';

// `worker`: what a worker's program sees of its cluster.

const EventEmitter = require('node:events');

const { plain } = require('../base/errors.js');
const { parent } = require('../child_process/parent.js');
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
const { WORKER_VARIABLE } = require('./marks.js');
const { Receiver } = require('./receiver.js');
const { sourceOf } = require('./sources.js');

// When the module is loaded, as for the channel: what this process starts is no worker.
const number = process.env[WORKER_VARIABLE];
delete process.env[WORKER_VARIABLE];

/** Events: 'connection' (socket of pipewright/net); 'stop': no more connections come. */
class Worker extends EventEmitter {
  #channel = null;
  #receiver = null;
  #socket = null; // The descriptor on which connections will come.
  #server = null;
  #source = null;
  #isReady = false;
  #isStopping = false;
  #questions = new Map(); // By number: what takes the primary's answer.
  #lastQuestion = 0;

  /** Whether this process was started by a cluster of pipewright. */
  get isWorker() {
    return number !== undefined;
  }

  /** The worker's number; each one that is started has another. undefined in other processes. */
  get id() {
    return number === undefined ? undefined : Number(number);
  }

  #open() {
    if (this.#channel !== null) return;
    this.#channel = this.isWorker ? parent() : null;
    if (this.#channel === null) throw plain('ERR_CLUSTER_NO_WORKER');
    this.#channel.on('message', (received, descriptors) => this.#onMessage(received, descriptors));
    this.#channel.once('close', () => this.#stop());
  }

  #onMessage(received, descriptors) {
    if (typeOf(received) === CONNECTIONS) {
      this.#socket = descriptors[0];
      this.#receive();
    } else {
      for (const descriptor of descriptors) descriptor.close();
      if (typeOf(received) === PING) this.#channel.send(message(PONG));
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
    this.#channel.unref();
  }

  /** Sends a message that the primary answers. If the primary has gone, no answer comes. */
  [kAsk](type, body, take) {
    this.#open();
    this.#channel.ref();
    const id = ++this.#lastQuestion;
    this.#questions.set(id, take);
    if (this.#channel.isOpen) this.#channel.send(message(type, { id, ...body }));
  }

  [kTell](type, body) {
    if (this.#channel?.isOpen) this.#channel.send(message(type, body));
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
    this.#channel.send(message(READY));
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
    if (!this.#isStopping && this.#channel.isOpen) this.#channel.send(message(PAUSE));
  }

  // The process ends once its connections have, if nothing else keeps it.
  #stop() {
    if (this.#isStopping) return;
    this.#isStopping = true;
    if (this.#server?.listening) this.#server.close();
    this.#receiver?.unref();
    this.#socket?.close();
    this.#channel.unref();
    this.emit('stop');
  }
}

const worker = new Worker();

module.exports = { worker };
