'use strict';

// The TCP options of a socket: noDelay, keepAlive and the type of service. Options that are
// set before there is a connection are stored, and applied to the handle once there is one.

const { errnoException, invalidArgType } = require('../base/errors.js');
const { validateInt32 } = require('../base/validate.js');
const { kTcpOptions } = require('./symbols.js');

const methods = {
  /** TCP only, elsewhere without effect. Default true. */
  setNoDelay(enable = true) {
    const noDelay = Boolean(enable);
    const changed = this[kTcpOptions].noDelay !== noDelay;
    this[kTcpOptions].noDelay = noDelay;
    if (changed) this._handle?.setNoDelay?.(noDelay);
    return this;
  },

  /** TCP only, elsewhere without effect. The delay is in milliseconds, to the second. */
  setKeepAlive(enable, initialDelay) {
    const keepAlive = Boolean(enable);
    const seconds = Math.trunc(initialDelay / 1000) || 0;
    const current = this[kTcpOptions];
    const changed = current.keepAlive !== keepAlive || (keepAlive && current.keepAliveSeconds !== seconds);
    current.keepAlive = keepAlive;
    current.keepAliveSeconds = seconds;
    if (changed) this._handle?.setKeepAlive?.(keepAlive, seconds);
    return this;
  },

  /**
   * TCP only, elsewhere without effect: the byte that marks each packet, TOS of IPv4 and
   * traffic class of IPv6; see ip(7).
   *
   * @throws ERR_INVALID_ARG_TYPE, ERR_OUT_OF_RANGE, or the system's error
   */
  setTypeOfService(tos) {
    if (Number.isNaN(tos)) throw invalidArgType('tos', 'number', tos);
    validateInt32(tos, 'tos', 0, 255);
    const current = this[kTcpOptions];
    const changed = current.typeOfService !== tos;
    current.typeOfService = tos;
    if (changed && isConnected(this)) check(this._handle.setTypeOfService?.(tos), 'setTypeOfService');
    return this;
  },

  getTypeOfService() {
    const { typeOfService = 0 } = this[kTcpOptions];
    if (!isConnected(this) || !this._handle.getTypeOfService) return typeOfService;
    return check(this._handle.getTypeOfService(), 'getTypeOfService');
  },
};

// While the socket connects, the handle may not have a descriptor yet.
const isConnected = (socket) => socket._handle && !socket.connecting;

function check(result, syscall) {
  if (result < 0) throw errnoException(result, syscall);
  return result;
}

/** Applies the stored options to the handle of a socket that has just connected. */
function applyTcpOptions(socket) {
  const { noDelay, keepAlive, keepAliveSeconds, typeOfService } = socket[kTcpOptions];
  const handle = socket._handle;
  if (noDelay) handle?.setNoDelay?.(true);
  if (keepAlive) handle?.setKeepAlive?.(true, keepAliveSeconds);
  if (typeOfService !== undefined) handle?.setTypeOfService?.(typeOfService);
}

/** Adds the methods to the prototype of a class. */
function defineTcpMethods(prototype) {
  for (const [name, value] of Object.entries(methods)) {
    Object.defineProperty(prototype, name, { value, writable: true, enumerable: true, configurable: true });
  }
}

module.exports = { applyTcpOptions, defineTcpMethods };
