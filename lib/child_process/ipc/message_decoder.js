'use strict';

// What the decoders of both serializations share. Each finds its messages in push(chunk),
// wherever the chunks are cut, and keeps the part of the last one that has come.

const { ipcMessageTooLong } = require('../../base/errors.js');
const { Parts } = require('./parts.js');

class MessageDecoder {
  parts = new Parts(); // The bytes of a message whose end has not come.
  #maxBytes;
  #onMessage;
  #onGarbage;

  /**
   * @param {number} maxBytes of a message
   * @param {(message: any, end: number) => void} onMessage `end`: where in its chunk the message ends
   * @param {(error: Error, end: number) => void} onGarbage gets what cannot be parsed
   */
  constructor(maxBytes, onMessage, onGarbage) {
    this.#maxBytes = maxBytes;
    this.#onMessage = onMessage;
    this.#onGarbage = onGarbage;
  }

  /** Reports whether a message has come in part. */
  get isWithin() {
    return this.parts.length > 0;
  }

  /** @throws ERR_IPC_MESSAGE_TOO_LONG */
  checkLength(length) {
    if (length > this.#maxBytes) throw ipcMessageTooLong(this.#maxBytes);
  }

  /** Reports what `parse` makes of the bytes or the text of a whole message. */
  report(parse, payload, end) {
    let message;
    try {
      message = parse(payload);
    } catch (error) {
      this.#onGarbage(error, end);
      return;
    }
    this.#onMessage(message, end);
  }
}

module.exports = { MessageDecoder };
