'use strict';

// The worker's end of the socket on which connections come, and its page of counters; see
// src/cluster/connection_receiver.h. A connection is reported once the program has got it, or
// before, if its listener says so. The closed ones are reported too: until then the primary may
// have a copy, and a client would not see that the connection was closed.

const { ConnectionReceiver } = require('../base/binding.js');
const { errnoException } = require('../base/errors.js');
const { callSafely } = require('../base/callback.js');
const { kHandOver } = require('../fd/descriptor.js');
const { IS_LISTENER } = require('./marks.js');

const FIELDS = 3; // A connection has three numbers: its descriptor, its id, its listener's number.
const DELAY = 1; // Milliseconds in which answers gather.
const OWN = 0; // In place of the id of a connection that this process has accepted by itself.

class Receiver {
  #handle = new ConnectionReceiver();
  #isTakenAtOnce;
  #onConnection;
  #onListener;
  #got = []; // { id, handle }: what the program has got since the last answer.
  #read = [];
  #timer = null;

  /**
   * @param {import('../fd/descriptor.js').Descriptor} socket taken
   * @param {import('../fd/descriptor.js').Descriptor} page taken
   * @param {object} how
   * @param {number} how.heartbeat milliseconds between two of its signs of life
   * @param {(listener: number) => boolean} how.isTakenAtOnce whether to report its
   *   connections before the program has them
   * @param {(fd: number, id: number, listener: number) => any} how.onConnection returns
   *   the handle, or undefined if there is none
   * @param {(fd: number, listener: number) => void} how.onListener gets a listening socket
   * @param {() => void} how.onEnd called when the primary has gone
   */
  constructor(socket, page, { heartbeat, isTakenAtOnce, onConnection, onListener, onEnd }) {
    this.#isTakenAtOnce = isTakenAtOnce;
    this.#onConnection = onConnection;
    this.#onListener = onListener;
    socket[kHandOver]((fd) => {
      const err = this.#handle.open(fd, page.fd, heartbeat);
      if (err !== 0) throw errnoException(err, 'open');
      return true;
    });
    page.close();
    /** @type {any} */ (this.#handle).onconnections = () => this.#onConnections(this.#handle.takeConnections());
    /** @type {any} */ (this.#handle).reader = () => onEnd();
  }

  #onConnections(list) {
    for (let at = 0; at < list.length; at += FIELDS) this.#give(list[at], list[at + 1], list[at + 2]);
    this.#answerSoon();
  }

  #give(fd, id, listener) {
    if ((listener & IS_LISTENER) !== 0) {
      this.#read.push(id);
      this.#onListener(fd, listener);
      return;
    }
    const isTakenAtOnce = this.#isTakenAtOnce(listener);
    if (isTakenAtOnce) this.#answer([id]);
    let handle; // None, if the program's handler has thrown.
    callSafely(() => (handle = this.#onConnection(fd, id, listener)));
    if (isTakenAtOnce) this.#read.push(id);
    else this.#got.push({ id, handle });
  }

  /** Hands over a connection that this process has accepted by itself. */
  accepted(fd, listener) {
    this.#handle.countAccepted();
    callSafely(() => this.#onConnection(fd, OWN, listener));
  }

  /** Reports that this process has no use for the connection any more. */
  closed(id) {
    this.#handle.connectionClosed(id);
    if (id !== OWN) this.#answerSoon();
  }

  #answerSoon() {
    if (this.#timer === null) this.#timer = setTimeout(() => this.#answer([]), DELAY);
  }

  // A connection that was read from needs no other look of the primary's.
  #answer(taken) {
    clearTimeout(this.#timer);
    this.#timer = null;
    const read = this.#read;
    this.#read = [];
    for (const { id, handle } of this.#got) (handle?.bytesRead > 0 ? read : taken).push(id);
    this.#got = [];
    this.#handle.answer(Uint32Array.from(read), Uint32Array.from(taken));
  }

  unref() {
    this.#handle.unref();
  }
}

module.exports = { Receiver };
