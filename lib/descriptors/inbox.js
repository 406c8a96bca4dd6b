'use strict';

// The receiving side of a passer: descriptors that have come, and callbacks that wait for
// one. The handle reads only as many descriptors as were asked for.

const { callSafely } = require('../base/callback.js');
const { errnoException } = require('../base/errors.js');
const { Queue } = require('../base/queue.js');
const { closeAll, received } = require('../fd/descriptor.js');

const READ_AHEAD = 64; // Descriptors that an iteration asks for at a time.

class Inbox {
  #handle = null;
  #receivers = new Queue(); // Callbacks that wait for a descriptor.
  #arrived = new Queue(); // Descriptors that no callback waits for: the rest of a batch.
  #readAhead = 0;
  #asked = 0; // How many descriptors the handle was asked to receive.
  #failure = null;
  #isClosed = false;
  #count = 0;

  open(handle) {
    this.#handle = handle;
    handle.ondescriptors = (fds) => this.#onDescriptors(fds);
  }

  /** The error after which nothing more will be received, or null. */
  get failure() {
    return this.#failure;
  }

  /** The number of descriptors received so far. */
  get count() {
    return this.#count;
  }

  /** The number of callbacks that wait. */
  get waiting() {
    return this.#receivers.length;
  }

  /** The number of descriptors that have come and were not asked for. */
  get unread() {
    return this.#arrived.length;
  }

  /** @param {(error: Error | null, descriptor?: any) => void} callback */
  receive(callback) {
    if (this.#arrived.length > 0) {
      process.nextTick(callback, null, this.#arrived.shift());
      return;
    }
    if (this.#failure !== null) throw this.#failure;
    this.#receivers.push(callback);
    this.#ask();
  }

  // Asks the handle for as many descriptors as are wanted, if that number has changed.
  #ask() {
    const wanted = Math.max(this.#receivers.length, this.#readAhead) - this.#arrived.length;
    if (wanted === this.#asked || this.#failure !== null) return;
    this.#asked = Math.max(wanted, 0);
    const err = this.#handle.receive(this.#asked);
    if (err !== 0) this.end(errnoException(err, 'recvmsg'));
  }

  #onDescriptors(fds) {
    this.#count += fds.length;
    this.#asked = Math.max(this.#asked - fds.length, 0);
    for (const descriptor of received(fds)) {
      const receiver = this.#receivers.shift();
      if (receiver !== undefined) {
        callSafely(receiver, null, descriptor);
      } else if (this.#isClosed) {
        descriptor.close(); // An earlier callback closed the passer.
      } else {
        this.#arrived.push(descriptor);
      }
    }
    this.#ask();
  }

  /** Fails the waiting callbacks with `error`, because nothing more will come. */
  end(error) {
    this.#failure ??= error;
    for (const receiver of this.#receivers.clear()) callSafely(receiver, error);
  }

  /** Does the same as end(), and closes descriptors that were not asked for. */
  close(error) {
    this.#isClosed = true;
    closeAll(this.#arrived.clear());
    this.end(error);
  }

  /** Returns an iterator over the descriptors as they come, until the peer ends. */
  iterate(receive) {
    const stop = () => {
      this.#readAhead = 0;
      this.#ask();
      return Promise.resolve({ done: true, value: undefined });
    };
    const next = () => {
      if (this.#arrived.length > 0) return Promise.resolve({ done: false, value: this.#arrived.shift() });
      this.#readAhead = READ_AHEAD;
      return receive().then(
        (value) => ({ done: false, value }),
        (error) => {
          if (error.code === 'ERR_PASSER_ENDED') return stop();
          stop();
          throw error;
        },
      );
    };
    return { next, return: stop };
  }
}

module.exports = { Inbox };
