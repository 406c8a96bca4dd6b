'use strict';

// Answers the peer's requests: calls the handler, and sends what it gives back.

const { ERROR_TEXT_LIMIT, REPLY } = require('./framing.js');
const { lend } = require('./lending.js');
const { Reply } = require('./reply.js');

class Answers {
  #link;
  #isOpen;
  #handler = null;

  /**
   * @param {import('./link.js').Link} link
   * @param {() => boolean} isOpen whether a reply can be sent
   */
  constructor(link, isOpen) {
    this.#link = link;
    this.#isOpen = isOpen;
  }

  set handler(handler) {
    this.#handler = handler;
  }

  get hasHandler() {
    return this.#handler !== null;
  }

  /** Calls the handler, whose reply follows now or later. */
  answer({ id, message, descriptors }) {
    let result;
    try {
      result = this.#handler(message, descriptors);
      if (typeof result?.then === 'function') {
        // A thenable may call back twice, or at once. A promise of it settles once and later.
        Promise.resolve(result).then(
          (value) => this.#reply(id, value),
          (error) => this.#fail(id, error),
        );
        return;
      }
    } catch (error) {
      this.#fail(id, error);
      return;
    }
    this.#reply(id, result);
  }

  // A reply that cannot be sent becomes an error at the peer.
  #reply(id, result) {
    if (!this.#isOpen()) return;
    try {
      if (Reply.isReply(result)) this.#replyWithDescriptors(id, result);
      else this.#push(id, this.#link.encode(result), undefined, undefined);
    } catch (error) {
      this.#fail(id, error);
    }
  }

  #replyWithDescriptors(id, { message, descriptors, keep }) {
    const payload = this.#link.encode(message);
    if (descriptors === null) {
      this.#push(id, payload, undefined, undefined);
      return;
    }
    const lent = lend(descriptors, keep);
    if (this.#isOpen()) this.#push(id, payload, lent, (error) => lent.settle(error === null));
    else lent.settle(false);
  }

  // To encode a reply may run code that closes the channel.
  #push(id, payload, lent, whenTaken) {
    if (this.#isOpen()) this.#link.push(REPLY, id, payload, lent, whenTaken);
  }

  #fail(id, error) {
    const description = describeError(error);
    if (this.#isOpen()) this.#link.pushError(id, description);
  }
}

const text = (value) => (typeof value === 'string' ? value.slice(0, ERROR_TEXT_LIMIT) : undefined);

// What a handler threw may be anything.
function describeError(error) {
  try {
    if (typeof error !== 'object' || error === null) return { message: text(String(error)) };
    const { name, message, code } = error;
    return { name: text(name), message: text(message) ?? text(String(error)), code: text(code) };
  } catch {
    return { message: 'an error that cannot be shown' };
  }
}

/** The description that came, checked. */
function errorOf(description) {
  const { name, message, code } = description ?? {};
  return { name: text(name) ?? 'Error', message: text(message) ?? '', code: text(code) };
}

module.exports = { Answers, errorOf };
