'use strict';

// With schedule 'shared': the listening sockets of the primary, on which this worker accepts by
// itself, beside the others.

const { Listener, closeFd } = require('../base/binding.js');
const { errnoException } = require('../base/errors.js');
const { IS_LISTENER } = require('./marks.js');

class SharedListeners {
  // By number, in the order in which they came: the next one of a number can be here before the word
  // that the one before it is closed, which goes another way.
  #listeners = new Map();
  #closed = new Map(); // By number: how many are closed that have yet to come.
  #isClosed = false; // What still comes is not wanted.

  /**
   * Accepts on a socket.
   *
   * @param {number} fd taken
   * @param {number} marks the number of the listener
   * @param {import('./receiver.js').Receiver} receiver hands the connections over
   */
  open(fd, marks, receiver) {
    const number = marks & ~IS_LISTENER;
    const closed = this.#closed.get(number) ?? 0;
    if (closed > 0) this.#closed.set(number, closed - 1);
    if (closed > 0 || this.#isClosed) {
      closeFd(fd);
      return;
    }
    const listener = new Listener();
    listener.onconnection = (status, connection) => {
      if (status === 0) receiver.accepted(connection, number);
      // An overload passes. After another error this worker accepts no more, and the others do.
      else if (connection !== 1) process.emitWarning(errnoException(status, 'accept'));
    };
    const err = listener.listenOnShared(fd);
    if (err === 0) {
      this.#listeners.set(number, [...(this.#listeners.get(number) ?? []), listener]);
    } else {
      closeFd(fd);
      process.emitWarning(errnoException(err, 'listen'));
    }
  }

  /** The first of that number that is open is so no more. */
  close(number) {
    const listener = this.#listeners.get(number)?.shift();
    if (listener === undefined) this.#closed.set(number, (this.#closed.get(number) ?? 0) + 1);
    else listener.close();
  }

  closeAll() {
    this.#isClosed = true;
    for (const listener of [...this.#listeners.values()].flat()) listener.close();
    this.#listeners.clear();
  }
}

module.exports = { SharedListeners };
