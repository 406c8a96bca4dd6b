'use strict';

// The worker's end of the socket on which connections come; src/cluster/connection_sender.h
// describes the bytes. A connection is reported once the program has got it. If its listener
// says so, it is reported just before, by itself, and as read from once the program's handler
// has returned: should this process die, the primary is in doubt about one connection alone. The
// closed ones are reported too: until then the primary may have a copy, and a client would not
// see that the connection was closed.

const { MessageSocket, closeInBackground } = require('../base/binding.js');
const { errnoException } = require('../base/errors.js');
const { callSafely } = require('../base/callback.js');
const { kHandOver } = require('../fd/descriptor.js');

const RECORD = 8; // Bytes: id, number of the listener.
const HEAD = 2; // Numbers at the start of an answer.
const MAX_NUMBERS = 4000; // Of one answer.
const DELAY = 1; // Milliseconds in which answers gather.

class Receiver {
  #handle = new MessageSocket();
  #isTakenAtOnce;
  #onConnection;
  #got = []; // { id, handle }: what the program has got since the last answer.
  #taken = []; // Ids to report as taken, whether they were read from or not.
  #read = [];
  #closed = [];
  #timer = null;
  #isClosed = false;

  /**
   * @param {import('../fd/descriptor.js').Descriptor} descriptor of the socket; taken
   * @param {object} outcome
   * @param {(listener: number) => boolean} outcome.isTakenAtOnce whether to report its
   *   connections before the program has them
   * @param {(fd: number, id: number, listener: number) => any} outcome.onConnection returns
   *   the handle, or undefined if there is none
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
    for (const { fd, id, listener } of messages.flatMap(connectionsOf)) {
      const isTakenAtOnce = this.#isTakenAtOnce(listener);
      if (isTakenAtOnce) {
        this.#taken.push(id);
        this.#answer();
      }
      callSafely(() => {
        const handle = this.#onConnection(fd, id, listener);
        if (!isTakenAtOnce) this.#got.push({ id, handle });
      });
      if (isTakenAtOnce) this.#read.push(id);
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

  // A connection that was read from needs no other look of the primary's.
  #answer() {
    clearTimeout(this.#timer);
    this.#timer = null;
    const read = this.#read;
    this.#read = [];
    for (const { id, handle } of this.#got) (handle?.bytesRead > 0 ? read : this.#taken).push(id);
    this.#got = [];
    while (!this.#isClosed && read.length + this.#taken.length + this.#closed.length > 0) {
      const some = read.splice(0, MAX_NUMBERS);
      const taken = this.#taken.splice(0, MAX_NUMBERS - some.length);
      const closed = this.#closed.splice(0, MAX_NUMBERS - some.length - taken.length);
      const answer = new Uint32Array(HEAD + some.length + taken.length + closed.length);
      answer[0] = some.length;
      answer[1] = taken.length;
      answer.set(some, HEAD);
      answer.set(taken, HEAD + some.length);
      answer.set(closed, HEAD + some.length + taken.length);
      this.#handle.send(new Uint8Array(answer.buffer));
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
