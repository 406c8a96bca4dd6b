'use strict';

// With schedule 'shared': the listening sockets of the primary, on which this worker accepts by
// itself, beside the others.

const { Listener, closeFd } = require('../base/binding.js');
const { errnoException } = require('../base/errors.js');
const { IS_LISTENER } = require('./marks.js');

class SharedListeners {
  #listeners = new Map(); // By number.
  #closed = new Set(); // Numbers of those that are closed, and have yet to come: the word of it goes another way.
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
    if (this.#closed.delete(number) || this.#isClosed) {
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
      this.#listeners.set(number, listener);
    } else {
      closeFd(fd);
      process.emitWarning(errnoException(err, 'listen'));
    }
  }

  close(number) {
    const listener = this.#listeners.get(number);
    if (listener === undefined) this.#closed.add(number);
    else listener.close();
    this.#listeners.delete(number);
  }

  closeAll() {
    this.#isClosed = true;
    for (const number of [...this.#listeners.keys()]) this.close(number);
  }
}

module.exports = { SharedListeners };
