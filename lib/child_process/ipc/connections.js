'use strict';

// Connections of one server that are in several processes. Whoever has sent a connection
// away can ask the other process how many it has left, and when the last has closed. The
// messages are Node's:
//
//   NODE_SOCKET_GET_COUNT -> NODE_SOCKET_COUNT, NODE_SOCKET_NOTIFY_CLOSE -> NODE_SOCKET_ALL_CLOSED

const { EventEmitter } = require('node:events');

const { plain } = require('../../base/errors.js');

/**
 * Connections of one of our servers that a child has. A server keeps one for each such
 * child, in `_workers`, and calls its methods: ours does, and Node's.
 */
class SentConnections extends EventEmitter {
  #key;
  #post;
  #waiting = { NODE_SOCKET_COUNT: [], NODE_SOCKET_ALL_CLOSED: [] };
  #underway = 0;
  #isKnown = false; // To the child, which answers for a key once it has got a connection.

  /**
   * @param {string} key of the server: its `_connectionKey`
   * @param {(message: object) => boolean} post sends a message; false if the channel has ended
   */
  constructor(key, post) {
    super();
    this.#key = key;
    this.#post = post;
  }

  /** A connection is on its way; the function that is returned is to be told what became of it. */
  depart() {
    this.#underway += 1;
    return (sent) => {
      this.#underway -= 1;
      this.#isKnown ||= sent;
      return this.#isKnown || this.#underway > 0;
    };
  }

  /** Has the child say when the last one has closed. */
  close(callback) {
    this.#ask('NODE_SOCKET_NOTIFY_CLOSE', 'NODE_SOCKET_ALL_CLOSED', (error, reply) => callback(error, reply));
  }

  /** @param {(error: Error | null, count?: number) => void} callback */
  getConnections(callback) {
    this.#ask('NODE_SOCKET_GET_COUNT', 'NODE_SOCKET_COUNT', (error, reply) => {
      if (error) callback(error);
      else callback(null, Number(reply.count) || 0);
    });
  }

  #ask(question, answer, callback) {
    this.#waiting[answer].push(callback);
    if (!this.#post({ cmd: question, key: this.#key })) this.#fail();
  }

  /** A message of the child's with this key. */
  onMessage(message) {
    const callbacks = this.#waiting[message.cmd];
    // One question was sent for each callback, so one answer is for the first.
    if (message.cmd === 'NODE_SOCKET_COUNT') callbacks.shift()?.(null, message);
    else for (const callback of callbacks?.splice(0) ?? []) callback(null, message);
  }

  /** The child has gone, or talks to us no more: its connections are no longer counted. */
  end() {
    this.emit('exit', this);
    this.#fail();
  }

  #fail() {
    for (const callback of this.#waiting.NODE_SOCKET_COUNT.splice(0)) callback(plain('ERR_CHILD_CLOSED_BEFORE_REPLY'));
    for (const callback of this.#waiting.NODE_SOCKET_ALL_CLOSED.splice(0)) callback(null);
  }
}

/** Connections of one of the child's servers that are here. */
class ReceivedConnections {
  #key;
  #post;
  #count = 0;
  #isAwaited = false;

  /** As of SentConnections. */
  constructor(key, post) {
    this.#key = key;
    this.#post = post;
  }

  add(socket) {
    this.#count += 1;
    socket.once('close', () => {
      this.#count -= 1;
      if (this.#isAwaited) this.#tellIfAllClosed();
    });
  }

  /** A question of the child's with this key. */
  onMessage({ cmd }) {
    if (cmd === 'NODE_SOCKET_GET_COUNT') {
      this.#post({ cmd: 'NODE_SOCKET_COUNT', key: this.#key, count: this.#count });
    } else {
      this.#tellIfAllClosed();
    }
  }

  #tellIfAllClosed() {
    this.#isAwaited = this.#count > 0;
    if (!this.#isAwaited) this.#post({ cmd: 'NODE_SOCKET_ALL_CLOSED', key: this.#key });
  }
}

const ANSWERS = new Set(['NODE_SOCKET_COUNT', 'NODE_SOCKET_ALL_CLOSED']);
const QUESTIONS = new Set(['NODE_SOCKET_GET_COUNT', 'NODE_SOCKET_NOTIFY_CLOSE']);

/** All of one channel's, by the keys of the servers. */
class Connections {
  #post;
  #sent = new Map();
  #received = new Map();

  /** @param {(message: object) => boolean} post as of SentConnections */
  constructor(post) {
    this.#post = post;
  }

  /**
   * A connection of the server goes to the child.
   *
   * @returns {(sent: boolean) => void} to be called once it is known whether it did
   */
  send(server, key) {
    let list = this.#sent.get(key);
    if (list === undefined) {
      this.#sent.set(key, (list = new SentConnections(key, this.#post)));
      server._setupWorker(list);
    }
    const arrive = list.depart();
    return (sent) => {
      if (arrive(sent) || this.#sent.get(key) !== list) return;
      this.#sent.delete(key);
      list.end();
    };
  }

  /** A connection of a server with this key came from the child. */
  receive(socket, key) {
    let list = this.#received.get(key);
    if (list === undefined) this.#received.set(key, (list = new ReceivedConnections(key, this.#post)));
    list.add(socket);
  }

  /** Reports whether the message is one of these, and then handles it. */
  onMessage(message) {
    const { cmd, key } = message;
    if (ANSWERS.has(cmd)) {
      this.#sent.get(key)?.onMessage(message);
    } else if (QUESTIONS.has(cmd)) {
      // The child waits for an answer, also about a key of which nothing came.
      (this.#received.get(key) ?? new ReceivedConnections(key, this.#post)).onMessage(message);
    } else {
      return false;
    }
    return true;
  }

  end() {
    for (const list of this.#sent.values()) list.end();
    this.#sent.clear();
  }
}

module.exports = { Connections };
