'use strict';

// The messages that the programs of primary and workers send to each other: what a worker in
// the primary and `worker` in a worker have in common. They go over a channel of their own, so
// that none can be taken for one of the cluster's. As on any channel, messages wait until
// there is a listener.

const EventEmitter = require('node:events');

const { shutDownReading } = require('../base/binding.js');
const { plain } = require('../base/errors.js');
const { closeAll } = require('../fd/descriptor.js');

const kDrainMessages = Symbol('drain messages');
const kForward = Symbol('forward messages');
const kListenersChanged = Symbol('listeners changed');
const kMessages = Symbol('messages'); // A method: the Channel, or null if there is none.

/** Calls its method kListenersChanged when listeners of 'message' or 'drain' come or go. */
class MessageEmitter extends EventEmitter {
  // EventEmitter's other methods that add or remove a listener call these.

  on(name, listener) {
    return this.#changed(super.on(name, listener));
  }

  addListener(name, listener) {
    return this.#changed(super.addListener(name, listener));
  }

  prependListener(name, listener) {
    return this.#changed(super.prependListener(name, listener));
  }

  off(name, listener) {
    return this.#changed(super.off(name, listener));
  }

  removeListener(name, listener) {
    return this.#changed(super.removeListener(name, listener));
  }

  removeAllListeners(...name) {
    return this.#changed(super.removeAllListeners(...name));
  }

  #changed(result) {
    this[kListenersChanged]();
    return result;
  }
}

class Messenger extends MessageEmitter {
  #absence;
  #channel = null; // That on which this listens.
  #forward = null; // Gets the messages, too: (message, descriptors).
  #isListening = false;
  #isDraining = false;
  #hasHandler = false;
  #onMessage = (message, descriptors) => {
    const hasTaker = this.emit('message', message, descriptors);
    if (this.#forward === null && !hasTaker) closeAll(descriptors);
    this.#forward?.(message, descriptors);
  };
  #onDrain = () => this.emit('drain');

  /** @param {string} absence code of the error if there is no channel to send on */
  constructor(absence) {
    super();
    this.#absence = absence;
  }

  /** Whether messages can be sent. */
  get isOpen() {
    return this[kMessages]()?.isOpen ?? false;
  }

  /**
   * Sends a message to the other side's program, as channel.send().
   *
   * @param {any} message what the option `serialization` of the cluster can carry
   * @param {Iterable<any> | null} [descriptors]
   * @param {{ keep?: boolean }} [options]
   * @returns {boolean} false if the other side is slow: 'drain' will follow
   * @throws as channel.send(): ERR_CHANNEL_CLOSED once the other side has ended
   */
  send(message, descriptors, options) {
    return this.#open().send(message, descriptors, options);
  }

  /** The same, and resolves once the kernel has taken the message. @returns {Promise<void>} */
  async sent(message, descriptors, options) {
    return this.#open().sent(message, descriptors, options);
  }

  /**
   * Sends a request, and resolves with the reply of the other side's handler, as channel.request().
   *
   * @returns {Promise<{ message: any, descriptors: readonly any[] }>}
   */
  async request(message, options) {
    return this.#open().request(message, options);
  }

  /**
   * Answers the other side's requests, as channel.onRequest(). They wait until there is a handler.
   *
   * @param {((message: any, descriptors: readonly any[]) => any) | null} handler
   */
  onRequest(handler) {
    this.#open().onRequest(handler);
    this.#hasHandler = handler !== null;
    return this;
  }

  #open() {
    const channel = this[kMessages]();
    if (channel === null) throw plain(this.#absence);
    this.#attach(channel);
    return channel;
  }

  #attach(channel) {
    if (this.#channel !== null) return;
    this.#channel = channel;
    channel.on('drain', this.#onDrain);
  }

  get #isWanted() {
    return this.#forward !== null || this.listenerCount('message') > 0;
  }

  [kListenersChanged]() {
    if (this.#isDraining || this.#isWanted === this.#isListening) return;
    const channel = this.#channel ?? this[kMessages]();
    if (channel === null) return;
    this.#attach(channel);
    this.#isListening = this.#isWanted;
    if (this.#isListening) channel.on('message', this.#onMessage);
    else channel.off('message', this.#onMessage);
  }

  /** Has the messages forwarded, too; null ends that. */
  [kForward](forward) {
    this.#forward = forward;
    this[kListenersChanged]();
  }

  /**
   * The other side has ended: delivers what it has sent, if there is a listener, then calls back.
   * What waits without a taker is dropped.
   */
  [kDrainMessages](callback) {
    const channel = this[kMessages]();
    if (channel === null || channel.closed) {
      callback();
      return;
    }
    channel.once('close', () => callback());
    if (!this.#isWanted && !this.#hasHandler) {
      channel.destroy();
      return;
    }
    this.#isDraining = true; // From now on messages without a listener are dropped.
    if (!this.#isListening) channel.on('message', this.#onMessage);
    if (!this.#hasHandler) channel.onRequest((_, descriptors) => closeAll(descriptors));
    // A process that the worker has started may have the descriptor, too: the end would not come.
    shutDownReading(channel.fd);
  }
}

module.exports = { MessageEmitter, Messenger, kDrainMessages, kForward, kListenersChanged, kMessages };
