'use strict';

// What a channel has received for its user: messages and requests in their order. Each is
// held until there is someone to take it.

const { Queue } = require('../base/queue.js');

// Bytes held at which reading stops. An entry counts at least MIN_WEIGHT, for its object.
const MAX_HELD = 64 * 1024;
const MIN_WEIGHT = 64;

class Inbox {
  #arrived = new Queue(); // Entries in the order of the stream, not offered yet.
  #messages = new Queue(); // Held.
  #requests = new Queue();
  #heldBytes = 0;
  #isDelivering = false;
  #takeMessage;
  #takeRequest;

  /**
   * @param {(message: any, descriptors: any[]) => boolean} takeMessage false: not now
   * @param {(message: any, descriptors: any[], id: number) => boolean} takeRequest
   */
  constructor(takeMessage, takeRequest) {
    this.#takeMessage = takeMessage;
    this.#takeRequest = takeRequest;
  }

  get isEmpty() {
    return this.#arrived.length === 0 && this.#messages.length === 0 && this.#requests.length === 0;
  }

  /** Whether no more should be read for now. */
  get isFull() {
    return this.#heldBytes >= MAX_HELD;
  }

  get length() {
    return this.#arrived.length + this.#messages.length + this.#requests.length;
  }

  /** @param {{ isRequest: boolean, id: number, message: any, descriptors: any[], size: number }} entry */
  push(entry) {
    this.#arrived.push(entry);
  }

  /** The next message held, for a caller that takes it; undefined if there is none. */
  shiftMessage() {
    const entry = this.#messages.shift();
    if (entry !== undefined) this.#heldBytes -= weight(entry);
    return entry;
  }

  /** Offers everything. A taker may call this again, or turn the loop: the order stays. */
  deliver() {
    if (this.#isDelivering) return;
    this.#isDelivering = true;
    try {
      this.#deliverHeld(this.#messages, (entry) => this.#takeMessage(entry));
      this.#deliverHeld(this.#requests, (entry) => this.#takeRequest(entry));
      for (let entry = this.#arrived.shift(); entry !== undefined; entry = this.#arrived.shift()) this.#offer(entry);
    } finally {
      this.#isDelivering = false;
    }
  }

  #deliverHeld(queue, take) {
    while (queue.length > 0 && take(queue.first)) this.#heldBytes -= weight(queue.shift());
  }

  #offer(entry) {
    const held = entry.isRequest ? this.#requests : this.#messages;
    const take = entry.isRequest ? this.#takeRequest : this.#takeMessage;
    if (held.length === 0 && take(entry)) return;
    held.push(entry);
    this.#heldBytes += weight(entry);
  }

  /** Drops everything. @returns {any[]} the entries that were held */
  clear() {
    this.#heldBytes = 0;
    return [...this.#messages.clear(), ...this.#requests.clear(), ...this.#arrived.clear()];
  }
}

const weight = (entry) => Math.max(entry.size, MIN_WEIGHT);

module.exports = { Inbox };
