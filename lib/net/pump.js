'use strict';

// pump(): carries all bytes from one socket to another past the streams. C++ writes what it has read
// at once, out of one buffer for all pumps, and JavaScript does not hear of it. What the kernel does
// not take at once comes here, and is written as by any program; nothing is read meanwhile.

const { finished } = require('node:stream');

const { whenAborted } = require('../base/abort.js');
const { plain } = require('../base/errors.js');
const { normalizePumpArgs } = require('./options.js');
const { endReading, startReading, stopReading } = require('./reading.js');
const { kStopReading, kTimer } = require('./symbols.js');
const { refreshTimer } = require('./timeout.js');

// The size of that buffer of C++. Pages that no rest reaches take no memory.
const BUFFER_SIZE = 512 * 1024;

class Pump {
  #from;
  #to;
  #ends;
  #buffer = Buffer.allocUnsafeSlow(BUFFER_SIZE);
  #bytes = 0; // With `bytesRead` of the socket added.
  #isWaiting = false; // The kernel has not taken all of the buffer.
  #hasEnded = false; // All has been read.
  #onWritten = () => this.#goOn();
  #release = [];
  #done;

  constructor({ from, to, end, signal }, done) {
    this.#from = from;
    this.#to = to;
    this.#ends = end;
    this.#done = done;
    this.#release.push(
      finished(from, { writable: false }, (error) => (error ? this.#fail(error) : this.#onEnd())),
      finished(to, { readable: false }, (error) => this.#onFinished(error)),
    );
    if (signal !== undefined) whenAborted(signal, from, (error) => this.#fail(error));
    if (from._handle && !from.connecting) this.#takeOver();
    else from.once('connect', () => this.#takeOver());
  }

  #takeOver() {
    const from = this.#from;
    const handle = from._handle;
    from[kStopReading]();
    this.#bytes = -from.bytesRead;
    handle.reader = (nread, chunk) => this.#onRead(nread, chunk);
    handle.useUserBuffer(this.#buffer);
    if (this.#mayForward()) handle.forwardTo(this.#to._handle);
    // What the stream has read already; since Node 26 it comes in several chunks.
    for (let chunk = from.read(); chunk !== null; chunk = from.read()) this.#writeChunk(chunk);
    // read() has let the handle go on: its bytes must not overtake those chunks.
    if (this.#isWaiting) stopReading(from);
    else this.#read();
  }

  // C++ does not know of timers. Only a stream of libuv can have another as its target.
  #mayForward() {
    const hasTimer = this.#from[kTimer] !== null || this.#to[kTimer] !== null;
    return !hasTimer && typeof this.#to._handle?.forwardTo === 'function';
  }

  #read() {
    const handle = this.#from._handle;
    if (handle && !handle.reading) startReading(this.#from);
  }

  #onRead(nread, chunk) {
    const from = this.#from;
    if (from[kTimer] !== null) refreshTimer(from);
    if (nread < 0) {
      endReading(from, nread);
    } else if (!from.destroyed) {
      from._handle.reading = false; // C++ has stopped it if this is a rest.
      if (chunk === null) this.#write(this.#buffer.subarray(0, nread));
      else this.#writeChunk(chunk); // From before pump(), in this turn of the loop.
      if (!this.#isWaiting) this.#read();
    }
  }

  #writeChunk(chunk) {
    this.#bytes += chunk.length;
    this.#write(chunk);
  }

  #write(bytes) {
    this.#to.write(bytes, this.#onWritten);
    if (this.#to.writableLength === 0) return;
    this.#isWaiting = true;
    stopReading(this.#from);
  }

  #goOn() {
    if (!this.#isWaiting || this.#to.writableLength > 0) return;
    this.#isWaiting = false;
    if (this.#hasEnded) this.#onEnd();
    else this.#read();
  }

  #onEnd() {
    this.#hasEnded = true;
    if (this.#ends) this.#to.end();
    else if (!this.#isWaiting) this.#settle(null);
  }

  #onFinished(error) {
    if (error) this.#fail(error);
    else if (this.#hasEnded) this.#settle(null);
    else this.#fail(plain('ERR_SOCKET_CLOSED')); // Somebody else has ended it.
  }

  #fail(error) {
    this.#settle(error);
    this.#from.destroy();
    this.#to.destroy();
  }

  #settle(error) {
    if (error === null) for (const release of this.#release) release();
    this.#done(error, this.#bytes + this.#from.bytesRead);
  }
}

/**
 * Carries all bytes of a socket to another, or to itself, and then ends that. Nobody else may read
 * from the first; what others write to the second comes between. On failure both are destroyed.
 *
 * @param {any} from a Socket, read to its end
 * @param {any} to a Socket
 * @param {object} [options]
 * @param {boolean} [options.end] whether `to` is ended, as by end(); default true
 * @param {AbortSignal} [options.signal] destroys both
 * @returns {Promise<number>} resolves with the number of bytes once `to` has them. Rejects with the
 *   error of either socket, ERR_STREAM_PREMATURE_CLOSE, ERR_SOCKET_CLOSED, or an AbortError
 * @throws ERR_INVALID_ARG_TYPE, ERR_INVALID_ARG_VALUE
 */
function pump(from, to, options) {
  const normalized = normalizePumpArgs(from, to, options);
  return new Promise((resolve, reject) => {
    new Pump(normalized, (error, bytes) => (error === null ? resolve(bytes) : reject(error)));
  });
}

module.exports = { pump };
