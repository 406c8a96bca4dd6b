'use strict';

// socket.setTimeout(): 'timeout' after some milliseconds without a byte in either direction.

const { MAX_TIMER } = require('../base/constants.js');
const { validateFunction, validateNumber } = require('../base/validate.js');
const { outOfRange } = require('../base/errors.js');
const { kTimer, kTimerQueueSize } = require('./symbols.js');

function checkDuration(msecs) {
  validateNumber(msecs, 'msecs');
  if (!(msecs >= 0 && Number.isFinite(msecs))) throw outOfRange('msecs', 'a non-negative finite number', msecs);
  if (msecs <= MAX_TIMER) return msecs;
  process.emitWarning(
    `${msecs} does not fit into a 32-bit signed integer.\nTimer duration was truncated to ${MAX_TIMER}.`,
    'TimeoutOverflowWarning',
  );
  return MAX_TIMER;
}

/** The method Socket.prototype.setTimeout. 0 switches it off. */
function setTimeoutOf(msecs, callback) {
  if (this.destroyed) return this;
  this.timeout = msecs;
  const duration = checkDuration(msecs);
  if (callback !== undefined) validateFunction(callback, 'callback');
  stopTimer(this);
  if (duration === 0) {
    if (callback !== undefined) this.removeListener('timeout', callback);
    return this;
  }
  this[kTimer] = setTimeout(() => this._onTimeout(), duration).unref();
  if (callback !== undefined) this.once('timeout', callback);
  return this;
}

/** Restarts the timer, because bytes moved. */
function refreshTimer(socket) {
  for (let each = socket; each; each = each._parent) each[kTimer]?.refresh();
}

function stopTimer(socket) {
  clearTimeout(socket[kTimer]);
  socket[kTimer] = null;
}

/** The method Socket.prototype._onTimeout. A write that makes progress restarts the timer. */
function onTimeout() {
  const queued = this[kTimerQueueSize];
  if (queued > 0 && this._handle) {
    const { writeQueueSize } = this._handle;
    if (queued !== writeQueueSize) {
      this[kTimerQueueSize] = writeQueueSize;
      refreshTimer(this);
      return;
    }
  }
  this.emit('timeout');
}

module.exports = { onTimeout, refreshTimer, setTimeoutOf, stopTimer };
