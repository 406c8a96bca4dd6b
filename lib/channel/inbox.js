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
  #isDelivering = false;
  #waiters = new Queue(); // Calls of next() that wait for a message.
  #takeMessage;
  #takeRequest;

  /**
   * @param {(entry: object) => boolean} takeMessage false: not now
   * @param {(entry: object) => boolean} takeRequest
   */
  constructor(takeMessage, takeRequest) {
    this.#takeMessage = takeMessage;
    this.#takeRequest = takeRequest;
  }

  /** How many messages and requests there are. */
  get length() {
    return this.#arrived.length + this.#messages.length + this.#requests.length;
  }

  /** Bytes of what was offered and not taken. */
  get heldBytes() {
    return this.#heldBytes;
  }

  /** @param {{ isRequest: boolean, id: number, message: any, descriptors: readonly any[], size: number }} entry */
  push(entry) {
    this.#arrived.push(entry);
  }

  /** Offers everything. A taker may call this again, or turn the loop: the order stays. */
  deliver() {
    if (this.#isDelivering) return;
    this.#isDelivering = true;
    try {
      this.#deliverHeld(this.#messages, (entry) => this.#offerMessage(entry));
      this.#deliverHeld(this.#requests, this.#takeRequest);
      for (let entry = this.#arrived.shift(); entry !== undefined; entry = this.#arrived.shift()) this.#offer(entry);
    } finally {
      this.#isDelivering = false;
    }
  }

  #deliverHeld(queue, take) {
    while (queue.length > 0) {
      const entry = queue.first;
      if (!take(entry)) return;
      if (queue.length === 0) return; // The taker has closed the channel.
      queue.shift();
      this.#heldBytes -= weight(entry);
    }
  }

  #offer(entry) {
    const held = entry.isRequest ? this.#requests : this.#messages;
    const isTaken = held.length === 0 && (entry.isRequest ? this.#takeRequest(entry) : this.#offerMessage(entry));
    if (isTaken) return;
    held.push(entry);
    this.#heldBytes += weight(entry);
  }

  #offerMessage(entry) {
    if (this.#takeMessage(entry)) return true;
    const waiter = this.#waiters.shift();
    waiter?.resolve(resultOf(entry));
    return waiter !== undefined;
  }

  /**
   * The messages as they come, for `for await`.
   *
   * @param {() => void} whenTaken a held message was taken
   * @param {() => Error | null | undefined} ending how the channel has ended; undefined before
   */
  iterate(whenTaken, ending) {
    const own = new Set(); // Those of #waiters that are this iteration's.
    let isOver = false;
    const finish = () => {
      isOver = true;
      return Promise.resolve({ done: true, value: undefined });
    };
    const next = () => {
      if (isOver) return finish();
      const entry = this.#messages.shift();
      if (entry !== undefined) {
        this.#heldBytes -= weight(entry);
        process.nextTick(whenTaken);
        return Promise.resolve(resultOf(entry));
      }
      const reason = ending();
      if (reason === undefined) {
        return new Promise((resolve, reject) => {
          const fail = (error) => {
            isOver = true;
            reject(error);
          };
          this.#wait(own, { resolve, fail });
        });
      }
      finish();
      return reason === null ? next() : Promise.reject(reason);
    };
    const stop = () => {
      for (const waiter of this.#waiters.clear()) {
        if (own.has(waiter)) waiter.resolve({ done: true, value: undefined });
        else this.#waiters.push(waiter);
      }
      return finish();
    };
    return { next, return: stop };
  }

  #wait(own, waiter) {
    own.add(waiter);
    this.#waiters.push(waiter);
  }

  /** Drops everything. @returns {any[]} the entries */
  clear() {
    this.#heldBytes = 0;
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
