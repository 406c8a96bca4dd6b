'use strict';

// The worker's end of the socket on which connections come; src/cluster/connection_sender.h
// describes the bytes. A connection is acknowledged after the program has got it, or before, if
// its listener says so. The closed ones are reported too: until then the primary may have a
// copy, and a client would not see that the connection was closed.

const { MessageSocket, closeInBackground } = require('../base/binding.js');
const { errnoException } = require('../base/errors.js');
const { callSafely } = require('../base/callback.js');
const { kHandOver } = require('../fd/descriptor.js');

const RECORD = 8; // Bytes: id, number of the listener.
const MAX_NUMBERS = 4000; // Of one answer.
const DELAY = 1; // Milliseconds in which answers gather.

class Receiver {
  #handle = new MessageSocket();
  #isTakenAtOnce;
  #onConnection;
  #taken = [];
  #closed = [];
  #timer = null;
  #isClosed = false;

  /**
   * @param {import('../fd/descriptor.js').Descriptor} descriptor of the socket; taken
   * @param {object} outcome
   * @param {(listener: number) => boolean} outcome.isTakenAtOnce whether to acknowledge its
   *   connections before the program has them
   * @param {(fd: number, id: number, listener: number) => void} outcome.onConnection
   * @param {() => void} outcome.onEnd called when the primary has gone
   */
  constructor(descriptor, { isTakenAtOnce, onConnection, onEnd }) {
    this.#isTakenAtOnce = isTakenAtOnce;
    this.#onConnection = onConnection;
    descriptor[kHandOver]((fd) => {
      const err = this.#handle.open(fd, false);
      if (err !== 0) throw errnoException(err, 'open');
      return true;
    });
    this.#handle.onmessages = (messages) => this.#onMessages(messages);
    this.#handle.reader = () => onEnd();
    this.#handle.readStart();
  }

  #onMessages(messages) {
    const connections = messages.flatMap(connectionsOf);
    const taken = connections.filter(({ listener }) => this.#isTakenAtOnce(listener));
    if (taken.length > 0) {
      for (const { id } of taken) this.#taken.push(id);
      this.#answer();
    }
    for (const { fd, id, listener } of connections) {
      callSafely(this.#onConnection, fd, id, listener);
      if (!this.#isTakenAtOnce(listener)) this.#taken.push(id);
    }
    this.#answerSoon();
  }

  /** Reports that this process has no use for the connection any more. */
  closed(id) {
    this.#closed.push(id);
    this.#answerSoon();
  }

  #answerSoon() {
    if (this.#timer === null && !this.#isClosed) this.#timer = setTimeout(() => this.#answer(), DELAY);
  }

  #answer() {
    clearTimeout(this.#timer);
    this.#timer = null;
    while (!this.#isClosed && this.#taken.length + this.#closed.length > 0) {
      const taken = this.#taken.splice(0, MAX_NUMBERS);
      const closed = this.#closed.splice(0, MAX_NUMBERS - taken.length);
      this.#handle.send(new Uint8Array(Uint32Array.of(taken.length, ...taken, ...closed).buffer));
    }
  }

  /** Sends what is to be answered, and takes no more connections. */
  close() {
    if (this.#isClosed) return;
    this.#answer();
    this.#isClosed = true;
    this.#handle.close();
  }

  ref() {
    this.#handle.ref();
  }

  unref() {
    this.#handle.unref();
  }
}

function connectionsOf({ data, descriptors }) {
  if (data.length !== descriptors.length * RECORD) {
    for (const fd of descriptors) closeInBackground(fd); // Not from our primary.
    return [];
  }
  return descriptors.map((fd, index) => ({
    fd,
    id: data.readUInt32LE(index * RECORD),
    listener: data.readUInt32LE(index * RECORD + 4),
  }));
}

module.exports = { Receiver };
