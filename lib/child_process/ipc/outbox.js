'use strict';

// What a channel has to send, in its order. A handle is waited for: until the other
// process has acknowledged it, messages and handles behind it stay here. One that did not
// arrive (the other process's table of descriptors was full) is sent again.
//
//   push() -> waiting -> in flight -- ACK --> settled, callback(null)
//                           ^   |
//                           |   +-- NACK --> retrying
//                           +---- a delay ------+
//
// A handle that is `unordered` does not make those behind it wait, up to 32 of them.

const { inThisContext } = require('../../base/async_scope.js');
const { callSafely } = require('../../base/callback.js');
const { QUEUED, RETRY_DELAY, RETRY_FIRST_DELAY } = require('../../base/constants.js');
const { errnoException, handleNotAcknowledged, plain } = require('../../base/errors.js');
const { Queue } = require('../../base/queue.js');

const MAX_IN_FLIGHT = 32;

/**
 * @typedef {object} Listener
 * @property {(error: Error) => void} onError gets what has no callback to be told by
 * @property {() => void} onLost called for each handle without a callback of which it is not known
 *   that it came, because the child has gone
 * @property {() => void} onDrained called when nothing is left
 *
 * @typedef {object} Entry
 * @property {string | Buffer} data the message as it goes onto the wire
 * @property {import('./handles.js').Outgoing | null} handle
 * @property {boolean} isUnordered
 * @property {boolean} isQuiet without a callback, an error is not reported either
 * @property {((error: Error | null) => void) | null} callback called once. Of a message: it is
 *   written, or cannot be; of a handle: it is delivered, or it is not known to be
 * @property {boolean} isBound the callback has the context of send()
 * @property {'waiting' | 'in flight' | 'retrying' | 'over'} state
 * @property {boolean} isRefused it did not arrive at least once
 * @property {NodeJS.Timeout | null} timer of `handleTimeout`
 */

class Outbox {
  #native;
  #timeout;
  #listener;
  #hasEnded = false;
  #waiting = new Queue();
  #inFlight = []; // Handles, in the order in which they will be acknowledged.
  #retrying = new Map(); // Handles that wait to be sent again, and their timers.
  #writes = new Queue(); // For each write that the native handle has queued, who hears of it.
  #unacknowledged = 0; // Handles in flight or retrying,
  #blocking = 0; // and how many of these make others wait.

  /**
   * @param {any} native a MessageSocket
   * @param {number} timeout milliseconds for a handle to be acknowledged; 0 for ever
   * @param {Listener} listener
   */
  constructor(native, timeout, listener) {
    this.#native = native;
    this.#timeout = timeout;
    this.#listener = listener;
    native.onwrite = (status) => {
      this.#writes.shift()(status, true);
      this.#checkDrained();
    };
  }

  /** Reports whether everything was written, and nothing is waited for. */
  get isDrained() {
    return this.#writes.length === 0 && this.#waiting.length === 0 && this.#unacknowledged === 0;
  }

  /**
   * @param {string | Buffer} data
   * @param {import('./handles.js').Outgoing | null} handle
   * @param {((error: Error | null) => void) | null} callback
   * @param {boolean} [isUnordered]
   * @param {boolean} [isQuiet]
   * @returns {number} how many wait now
   */
  push(data, handle, callback, isUnordered = false, isQuiet = false) {
    const entry = {
      data,
      handle,
      isUnordered,
      isQuiet,
      callback,
      isBound: false,
      state: 'waiting',
      isRefused: false,
      timer: null,
    };
    if (handle !== null) {
      bind(entry);
      if (this.#hasEnded) {
        process.nextTick(() => this.#settle(entry, plain('ERR_IPC_CHANNEL_CLOSED'), true));
        return this.#waiting.length;
      }
      if (this.#timeout > 0) entry.timer = setTimeout(() => this.#expire(entry), this.#timeout).unref();
    }
    if (this.#waiting.length === 0 && this.#maySend(entry)) {
      this.#send(entry);
    } else {
      bind(entry);
      this.#waiting.push(entry);
    }
    return this.#waiting.length;
  }

  /** Sends past everything that waits: what the other process waits for. */
  pushFirst(data) {
    this.#write(data, null, () => {});
  }

  #maySend({ handle, isUnordered }) {
    if (this.#blocking > 0) return false;
    return handle === null || this.#unacknowledged === 0 || (isUnordered && this.#unacknowledged < MAX_IN_FLIGHT);
  }

  #sendWaiting() {
    for (let entry = this.#waiting.first; entry !== undefined; entry = this.#waiting.first) {
      if (entry.state !== 'over' && !this.#maySend(entry)) return;
      this.#waiting.shift();
      if (entry.state !== 'over') this.#send(entry);
    }
    this.#checkDrained();
  }

  #send(entry) {
    if (entry.handle === null) {
      entry.state = 'over';
      const isQueued = this.#write(entry.data, null, (status, wasQueued) => {
        // A child that ends with much unread would cost an 'error' for each message, as none of Node's does.
        if (!wasQueued || entry.callback !== null) this.#report(entry, writeError(status));
      });
      if (isQueued) bind(entry);
      return;
    }
    this.#unacknowledged += 1;
    if (!entry.isUnordered) this.#blocking += 1;
    this.#sendHandle(entry);
  }

  #sendHandle(entry) {
    entry.state = 'in flight';
    this.#inFlight.push(entry);
    this.#write(entry.data, entry.handle.fd, (status, wasQueued) => {
      if (status < 0) this.#fail(entry, writeError(status), wasQueued);
    });
  }

  // `done` comes later, never from within. Returns true if the kernel has not taken all yet.
  #write(data, fd, done) {
    const result = fd === null ? writeBytes(this.#native, data) : writeWithDescriptor(this.#native, data, fd);
    if (result === QUEUED) this.#writes.push(done);
    else process.nextTick(done, result);
    return result === QUEUED;
  }

  #report({ callback, isQuiet }, error) {
    if (callback !== null) callSafely(callback, error);
    else if (error !== null && !isQuiet) this.#listener.onError(error);
  }

  /** The other process has the handle that was sent first. One too many is passed over. */
  onAcknowledged() {
    const entry = this.#inFlight.shift();
    if (entry !== undefined && entry.state !== 'over') this.#settle(entry, null);
    this.#sendWaiting();
  }

  /** It did not arrive: the same message is sent again, soon, then each half second. */
  onRefused() {
    const entry = this.#inFlight.shift();
    if (entry === undefined) return;
    if (entry.state !== 'over') this.#retryLater(entry);
    else this.#sendWaiting();
  }

  #retryLater(entry) {
    const delay = entry.isRefused ? RETRY_DELAY : RETRY_FIRST_DELAY;
    entry.isRefused = true;
    entry.state = 'retrying';
    const again = () => {
      this.#retrying.delete(entry);
      this.#sendHandle(entry);
    };
    this.#retrying.set(entry, setTimeout(again, delay).unref());
  }

  // Its acknowledgement may come all the same, and is for no other: it stays in the list.
  #expire(entry) {
    this.#settle(entry, handleNotAcknowledged(this.#timeout));
    this.#sendWaiting();
  }

  // The message was not written, so it will not be acknowledged.
  #fail(entry, error, wasQueued) {
    this.#inFlight = this.#inFlight.filter((each) => each !== entry);
    if (entry.state !== 'over') this.#settle(entry, error, wasQueued);
    this.#sendWaiting();
  }

  // `isLost`: the child has gone, or reads no more.
  #settle(entry, error, isLost = false) {
    if (entry.state === 'in flight' || entry.state === 'retrying') {
      this.#unacknowledged -= 1;
      if (!entry.isUnordered) this.#blocking -= 1;
    }
    entry.state = 'over';
    clearTimeout(entry.timer);
    clearTimeout(this.#retrying.get(entry));
    this.#retrying.delete(entry);
    // A sender without a callback does not learn that the object is its own again.
    entry.handle.settle(error === null, error === null || entry.callback === null);
    if (!isLost || entry.callback !== null) this.#report(entry, error);
    else if (!entry.isQuiet) this.#listener.onLost();
  }

  #checkDrained() {
    if (this.isDrained) this.#listener.onDrained();
  }

  /**
   * Gives up all that waits: no handle will be acknowledged. Of messages behind a handle only
   * their callbacks hear, as of any that nobody reads.
   */
  end() {
    this.#hasEnded = true;
    const entries = [...this.#inFlight, ...this.#retrying.keys(), ...this.#waiting.clear()];
    this.#inFlight = [];
    for (const entry of entries) {
      if (entry.state === 'over') continue;
      if (entry.handle !== null) this.#settle(entry, plain('ERR_IPC_CHANNEL_CLOSED'), true);
      else if (entry.callback !== null) callSafely(entry.callback, plain('ERR_IPC_CHANNEL_CLOSED'));
    }
  }
}

// A callback that comes in a later turn comes in the context of send(), as any of Node's.
function bind(entry) {
  if (entry.callback === null || entry.isBound) return;
  entry.callback = inThisContext('IPCSEND', entry.callback);
  entry.isBound = true;
}

const writeError = (status) => (status < 0 ? errnoException(status, 'write') : null);

const writeBytes = (native, data) =>
  typeof data === 'string' ? native.writeUtf8String(data) : native.writeBuffer(data);

// The descriptor rides on the last byte: the reader has the whole message by then, and
// cannot take the descriptor for one of the message before.
function writeWithDescriptor(native, data, fd) {
  const bytes = typeof data === 'string' ? Buffer.from(data) : data;
  const last = bytes.length - 1;
  return native.writeBuffers([bytes.subarray(0, last), bytes.subarray(last)], [undefined, Int32Array.of(fd)]);
}

module.exports = { Outbox };
