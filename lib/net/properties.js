'use strict';

// The accessors of Socket.prototype, and the credentials of a socket's peer.

const binding = require('../base/binding.js');
const { errnoException } = require('../base/errors.js');
const { kBytesRead, kBytesWritten } = require('./symbols.js');
const { bytesWaiting } = require('./writing.js');

const accessors = {
  get remoteAddress() {
    return this._getpeername().address;
  },

  get remoteFamily() {
    return this._getpeername().family;
  },

  get remotePort() {
    return this._getpeername().port;
  },

  get localAddress() {
    return this._getsockname().address;
  },

  get localFamily() {
    return this._getsockname().family;
  },

  get localPort() {
    return this._getsockname().port;
  },

  get bytesRead() {
    return this._handle ? this._handle.bytesRead : this[kBytesRead];
  },

  get _bytesDispatched() {
    return this._handle ? this._handle.bytesWritten : this[kBytesWritten];
  },

  get bytesWritten() {
    return this._bytesDispatched + bytesWaiting(this);
  },

  get bufferSize() {
    return this._handle ? this.writableLength : undefined;
  },

  get _connecting() {
    return this.connecting;
  },

  get pending() {
    return !this._handle || this.connecting;
  },

  get readyState() {
    if (this.connecting) return 'opening';
    if (this.readable) return this.writable ? 'open' : 'readOnly';
    return this.writable ? 'writeOnly' : 'closed';
  },
};

/** Adds the accessors to the prototype of a class. */
function defineAccessors(prototype) {
  Object.defineProperties(prototype, Object.getOwnPropertyDescriptors(accessors));
}

/**
 * Returns the credentials that the kernel noted when the peer of a Unix socket connected,
 * listened or made the pair.
 *
 * @param {number} fd
 * @returns {{ pid: number, uid: number, gid: number, groups: number[] }} pid: 0 if the peer
 *   is in a PID namespace that is not visible from here
 * @throws the system's error: ENOTCONN; ENOTSUP for TCP
 */
function peerCredentials(fd) {
  const credentials = binding.peerCredentials(fd);
  if (typeof credentials === 'number') throw errnoException(credentials, 'getsockopt');
  return credentials;
}

module.exports = { defineAccessors, peerCredentials };
