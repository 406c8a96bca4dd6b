'use strict';

// The receiving side of a channel: gives what comes to its takers, and says when to read.
//
// Reading stops while much is held. But two sides that both wait for the other one to read,
// or for its reply, would wait for ever if both had stopped. So as long as this side waits for
// the peer, it reads on and holds more, up to limits that guard its memory and its
// table of descriptors.

const { requestFailed } = require('../base/errors.js');
const { closeAll } = require('../fd/descriptor.js');
const { Answers, errorOf } = require('./answers.js');
const { MESSAGE, REPLY, REQUEST } = require('./framing.js');
const { Inbox } = require('./inbox.js');

const MAX_HELD = 64 * 1024; // Bytes of what has no taker, at which reading stops.
const MAX_HELD_DESCRIPTORS = 64;
const MAX_HELD_DESCRIPTORS_WAITING = 512; // While this side waits for the peer.

const READING = 0;
const DROPPING = 1; // The channel is closing: the peer can send on, and nothing is taken.
const EMPTYING = 2; // The socket is closed: what has come is taken.
const OVER = 3;

class Reception {
  #link;
  #requests;
  #options;
  #events;
  #answers;
  #inbox;
  #state = READING;

  /**
   * @param {import('./link.js').Link} link
   * @param {import('./requests.js').Requests} requests ours, whose replies come here
   * @param {any} options of normalizeChannelOptions()
   * @param {object} events
   * @param {() => boolean} events.isOpen whether the channel can send
   * @param {() => boolean} events.hasForMessages whether there is a listener
   * @param {(message: any, descriptors: readonly any[]) => void} events.onMessage
   * @param {() => void} events.onEmpty all was taken after end()
   */
  constructor(link, requests, options, events) {
    this.#link = link;
    this.#requests = requests;
    this.#options = options;
    this.#events = events;
    this.#answers = new Answers(link, events.isOpen);
    this.#inbox = new Inbox({
      hasForMessages: events.hasForMessages,
      takeMessage: ({ message, descriptors }) => events.onMessage(message, descriptors),
      hasForRequests: () => this.#answers.hasHandler,
      takeRequest: (entry) => this.#answers.answer(entry),
      mayAnswer: () => !this.isObstructed || !events.isOpen(),
    });
  }

  /** Answers the peer's requests; null for none. */
  set handler(handler) {
    this.#answers.handler = handler;
    process.nextTick(() => this.deliver());
  }

  /** How many messages and requests wait for a taker. */
  get length() {
    return this.#inbox.length;
  }

  onFrame(kind, id, message, descriptors, size) {
    if (this.#state !== READING) {
      closeAll(descriptors);
      return;
    }
    if (kind === MESSAGE || kind === REQUEST) {
      this.#inbox.push({ isRequest: kind === REQUEST, id, message, descriptors, size });
      return;
    }
    // The reply to a request that was given up, or never made, has no taker.
    const request = this.#requests.takeAnswered(id);
    if (request !== undefined && kind === REPLY) {
      request.resolve({ message, descriptors });
      return;
    }
    closeAll(descriptors);
    request?.reject(requestFailed(errorOf(message)));
  }

  /** Offers the messages that have come. All that their takers send leaves in one write. */
  deliver() {
    if (this.#state === DROPPING || this.#state === OVER) return;
    this.#link.expectFlush();
    this.#inbox.deliver();
    this.#link.flush();
    if (this.#state === READING) this.#updateReading();
    else if (this.#state === EMPTYING && this.#inbox.length === 0) this.#events.onEmpty();
  }

  /** This side has begun to wait for the peer. */
  waitForPeer() {
    if (this.#state === READING && this.#inbox.length > 0) this.#updateReading();
  }

  #updateReading() {
    if (this.#holdsEnough) this.#link.stopReading();
    else this.#link.startReading();
  }

  get #holdsEnough() {
    const { heldBytes, heldDescriptors } = this.#inbox;
    if (heldBytes < MAX_HELD && heldDescriptors < MAX_HELD_DESCRIPTORS) return false;
    if (!this.#link.isBlocked && this.#requests.size === 0) return true;
    const maxBytes = Math.max(this.#options.maxMessageBytes, MAX_HELD);
    return heldBytes >= maxBytes || heldDescriptors >= MAX_HELD_DESCRIPTORS_WAITING;
  }

  /** Whether the peer is slow. One that does not read its replies gets no more of them made. */
  get isObstructed() {
    return this.#link.queuedBytes >= this.#options.highWaterMark || this.#link.hasManyDescriptors;
  }

  /** The messages as they come. `ending` says how the channel has ended; undefined before. */
  iterate(ending) {
    return this.#inbox.iterate(() => this.deliver(), ending);
  }

  /**
   * From now on what comes is dropped. It is read all the same: a peer that has to wait until
   * it is read may be what this side waits for.
   */
  drop() {
    this.#state = DROPPING;
    this.#clear();
    this.#link.startReading();
  }

  /** Nothing more comes. What has come is delivered first. */
  end() {
    if (this.#state === READING) this.#state = EMPTYING;
    this.deliver();
  }

  /** Drops what was not taken and ends the iterations. */
  close(reason) {
    this.#state = OVER;
    this.#clear();
    this.#inbox.end(reason);
  }

  #clear() {
    for (const { descriptors } of this.#inbox.clear()) closeAll(descriptors);
  }
}

module.exports = { Reception };
