'use strict';

// What a channel has received for its user: messages and requests, in their order. Each is
// held until there is a taker.

const { Queue } = require('../base/queue.js');

const MIN_WEIGHT = 64; // Bytes that an entry counts at least, for its object.

const weight = (entry) => Math.max(entry.size, MIN_WEIGHT);

class Inbox {
  #arrived = new Queue(); // Entries in the order of the stream, not offered yet.
  #messages = new Queue(); // Held.
  #requests = new Queue();
  #heldBytes = 0;
  #heldDescriptors = 0;
  #isDelivering = false;
  #waiters = new Queue(); // Calls of next() that wait for a message: { owner, resolve, fail }.
  #takers;

  /**
   * @param {object} takers
   * @param {() => boolean} takers.hasForMessages
   * @param {(entry: object) => void} takers.takeMessage
   * @param {() => boolean} takers.hasForRequests
   * @param {(entry: object) => void} takers.takeRequest
   * @param {() => boolean} takers.mayAnswer false: requests have to wait, and what is behind them
   */
  constructor(takers) {
    this.#takers = takers;
  }

  /** How many messages and requests there are. */
  get length() {
    return this.#arrived.length + this.#messages.length + this.#requests.length;
  }

  /** Bytes of what is here. */
  get heldBytes() {
    return this.#heldBytes;
  }

  /** Descriptors of what is here. */
  get heldDescriptors() {
    return this.#heldDescriptors;
  }

  /** @param {{ isRequest: boolean, id: number, message: any, descriptors: readonly any[], size: number }} entry */
  push(entry) {
    this.#arrived.push(entry);
    this.#heldBytes += weight(entry);
    this.#heldDescriptors += entry.descriptors.length;
  }

  // An entry is out of the queue before its taker runs, which may take others or close the channel.
  #shift(queue) {
    const entry = queue.shift();
    this.#heldBytes -= weight(entry);
    this.#heldDescriptors -= entry.descriptors.length;
    return entry;
  }

  /** Offers everything. A taker may call this again, or turn the loop: the order stays. */
  deliver() {
    if (this.#isDelivering) return;
    this.#isDelivering = true;
    try {
      while (this.#messages.length > 0 && this.#hasForMessages) this.#take(this.#messages);
      while (this.#requests.length > 0 && this.#mayAnswer && this.#takers.hasForRequests()) this.#take(this.#requests);
      while (this.#arrived.length > 0 && (this.#mayAnswer || !this.#arrived.first.isRequest)) this.#deliverNext();
    } finally {
      this.#isDelivering = false;
    }
  }

  get #hasForMessages() {
    return this.#waiters.length > 0 || this.#takers.hasForMessages();
  }

  get #mayAnswer() {
    return this.#takers.mayAnswer();
  }

  // The oldest one is taken, or held apart from the other kind if there is no taker for it.
  #deliverNext() {
    const { isRequest } = this.#arrived.first;
    const held = isRequest ? this.#requests : this.#messages;
    const hasTaker = isRequest ? this.#takers.hasForRequests() : this.#hasForMessages;
    if (held.length === 0 && hasTaker) this.#take(this.#arrived);
    else held.push(this.#arrived.shift());
  }

  #take(queue) {
    const entry = this.#shift(queue);
    if (entry.isRequest) this.#takers.takeRequest(entry);
    else if (this.#takers.hasForMessages()) this.#takers.takeMessage(entry);
    else this.#waiters.shift().resolve(resultOf(entry));
  }

  /**
   * The messages as they come, for `for await`.
   *
   * @param {() => void} whenTaken a held message was taken
   * @param {() => Error | null | undefined} ending how the channel has ended; undefined before
   */
  iterate(whenTaken, ending) {
    const owner = {}; // Tells the calls of this iteration from those of others.
    let isOver = false;
    const finish = () => {
      isOver = true;
      return Promise.resolve({ done: true, value: undefined });
    };
    const next = () => {
      if (isOver) return finish();
      if (this.#messages.length > 0) {
        process.nextTick(whenTaken);
        return Promise.resolve(resultOf(this.#shift(this.#messages)));
      }
      const reason = ending();
      if (reason === undefined) {
        return new Promise((resolve, reject) => {
          const fail = (error) => {
            isOver = true;
            reject(error);
          };
          this.#waiters.push({ owner, resolve, fail });
        });
      }
      finish();
      return reason === null ? next() : Promise.reject(reason);
    };
    const stop = () => {
      for (const waiter of this.#waiters.clear()) {
        if (waiter.owner === owner) waiter.resolve({ done: true, value: undefined });
        else this.#waiters.push(waiter);
      }
      return finish();
    };
    return { next, return: stop };
  }

  /** Drops everything. @returns {any[]} the entries */
  clear() {
    this.#heldBytes = 0;
    this.#heldDescriptors = 0;
    return [...this.#messages.clear(), ...this.#requests.clear(), ...this.#arrived.clear()];
  }

  /** Ends the iterations. */
  end(reason) {
    for (const { resolve, fail } of this.#waiters.clear()) {
      if (reason === null) resolve({ done: true, value: undefined });
      else fail(reason);
    }
  }
}

const resultOf = ({ message, descriptors }) => ({ done: false, value: { message, descriptors } });

module.exports = { Inbox };
