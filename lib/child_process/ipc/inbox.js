'use strict';

// What comes over a channel: bytes into messages, and to each message the descriptors
// that came with it.

const { closeInBackground } = require('../../base/binding.js');
const { UV_EOF } = require('../../base/constants.js');
const { errnoException } = require('../../base/errors.js');
const { closeAll, received } = require('../../fd/descriptor.js');

const MAX_INCOMPLETE = 16; // Descriptors whose message has not come whole.

/**
 * @typedef {object} Receiver
 * @property {(message: any, descriptors: import('../../fd/descriptor.js').Descriptor[]) => void} onMessage
 * @property {(error: Error) => void} onGarbage gets what is no message; more may follow
 * @property {(error: Error | null) => void} onEnd called once; an error of which the channel died
 */

class Inbox {
  #native;
  #decoder;
  #receiver;
  #arriving = []; // Numbers that belong to the bytes of the next read.
  #waiting = []; // { end, fd }: they came with the byte before the place `end`.
  #position = 0; // The place of the next chunk in the stream, in bytes.

  /**
   * @param {any} native a MessageSocket
   * @param {new (...args: any[]) => any} Decoder of json.js or advanced.js
   * @param {number} maxMessageBytes
   * @param {Receiver} receiver
   */
  constructor(native, Decoder, maxMessageBytes, receiver) {
    this.#native = native;
    this.#receiver = receiver;
    this.#decoder = new Decoder(
      maxMessageBytes,
      (message, end) => receiver.onMessage(message, this.#take(this.#position + end)),
      (error, end) => {
        closeAll(this.#take(this.#position + end));
        receiver.onGarbage(error);
      },
    );
    native.onread = (nread, chunk) => this.#onRead(nread, chunk);
    native.ondescriptors = (fds) => this.#onDescriptors(fds);
    native.readStart();
  }

  /** Reports whether a message has come in part. */
  get isWithin() {
    return this.#decoder.isWithin;
  }

  // They come before the bytes of the same read, and belong to the last of them: a read
  // ends with the part of a message that has descriptors.
  #onDescriptors(fds) {
    for (const fd of fds) {
      if (this.#arriving.length + this.#waiting.length < MAX_INCOMPLETE) this.#arriving.push(fd);
      else closeInBackground(fd);
    }
  }

  #onRead(nread, chunk) {
    if (nread < 0) {
      this.#end(nread === UV_EOF ? null : errnoException(nread, 'read'));
      return;
    }
    const end = this.#position + nread;
    for (const fd of this.#arriving.splice(0)) this.#waiting.push({ end, fd });
    try {
      this.#decoder.push(chunk);
    } catch (error) {
      this.#end(error);
      return;
    }
    this.#position = end;
  }

  // The descriptors of the message that ends at this place.
  #take(end) {
    if (this.#waiting.length === 0) return [];
    const mine = this.#waiting.filter((each) => each.end <= end);
    this.#waiting.splice(0, mine.length);
    return received(mine.map(({ fd }) => fd));
  }

  #end(error) {
    this.stop();
    this.#receiver.onEnd(error);
  }

  /** Reads no more. */
  stop() {
    this.#native.readStop();
    for (const fd of this.#arriving.splice(0)) closeInBackground(fd);
    for (const { fd } of this.#waiting.splice(0)) closeInBackground(fd);
  }
}

module.exports = { Inbox };
