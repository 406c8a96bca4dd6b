'use strict';

// Passing descriptors over a net.Socket with the option `descriptors`: the event
// 'descriptors' and the method sendDescriptors(). The socket's handle is a MessageSocket.

const { isUint8Array } = require('node:util').types;

const { MessageSocket, closeInBackground } = require('../base/binding.js');
const { received } = require('../fd/descriptor.js');
const { MAX_DESCRIPTORS } = require('../base/constants.js');
const { errnoException, invalidArgType, outOfRange, plain } = require('../base/errors.js');
const { sendableList } = require('../fd/sendable.js');
const { kOwner, kWriteStatus } = require('./symbols.js');

const ONE_BYTE = Buffer.alloc(1); // On a stream, descriptors are sent together with at least one byte: unix(7).

/** Maps a buffer to the descriptors that must be sent with it. */
const attached = new WeakMap();

/** A MessageSocket whose writes also send the descriptors attached to a buffer. */
class DescriptorHandle extends MessageSocket {
  writeBuffer(buffer) {
    return super.writeBuffer(buffer, take(buffer));
  }

  writeBuffers(list) {
    return super.writeBuffers(list, list.map(take));
  }

  ondescriptors(fds) {
    const socket = /** @type {any} */ (this)[kOwner];
    const isHeard = socket !== undefined && !socket.destroyed && socket.listenerCount('descriptors') > 0;
    if (!isHeard) {
      fds.forEach((fd) => closeInBackground(fd));
    } else {
      socket.emit('descriptors', received(fds));
    }
  }
}

function take(buffer) {
  const fds = attached.get(buffer);
  if (fds !== undefined) attached.delete(buffer);
  return fds;
}

/** Makes the handle of a socket whose option `descriptors` is set. */
function descriptorHandle({ maxDescriptors }, Handle = DescriptorHandle) {
  const handle = new Handle();
  if (maxDescriptors !== undefined) handle.setMaxDescriptors(maxDescriptors);
  return handle;
}

/**
 * The method Socket.prototype.sendDescriptors: writes `payload` (default: one NUL byte)
 * with the descriptors, in order with all other writes. The callback comes when the kernel
 * has taken them, or with ECANCELED if the socket was destroyed before that.
 *
 * @param {Iterable<any>} list 1 to 253 items that sendable.js accepts
 * @param {Uint8Array | string | null} [payload]
 * @param {{ keep?: boolean } | Function} [options] keep: objects of ours stay open after they were sent
 * @param {(error?: Error | null) => void} [callback]
 * @returns {boolean} as write()
 * @throws ERR_INVALID_ARG_TYPE, ERR_OUT_OF_RANGE, ERR_DESCRIPTORS_NOT_ENABLED, and as
 *   sendable()
 */
function sendDescriptors(list, payload, options, callback) {
  if (typeof payload === 'function') return this.sendDescriptors(list, null, {}, payload);
  if (typeof options === 'function') return this.sendDescriptors(list, payload, {}, options);
  if (typeof list?.[Symbol.iterator] !== 'function') throw invalidArgType('list', 'Array', list);
  if (this._handle && !isDescriptorHandle(this._handle)) throw plain('ERR_DESCRIPTORS_NOT_ENABLED');
  const buffer = toBuffer(payload);
  const { fds, settle } = sendableList(list, options?.keep === true);
  if (fds.length > MAX_DESCRIPTORS || fds.length === 0) {
    settle(false);
    throw outOfRange('list.length', `>= 1 && <= ${MAX_DESCRIPTORS}`, fds.length);
  }
  attached.set(buffer, fds);
  return this.write(buffer, undefined, (writeError) => {
    // If they are still attached, the handle never saw them.
    const isUnseen = take(buffer) !== undefined;
    const error = writeError ?? (isUnseen ? plain('ERR_SOCKET_CLOSED') : lostWith(this));
    settle(error === null);
    callback?.(error);
  });
}

// As in Node, a destroyed socket reports success even for a write that was still waiting in
// the handle. The descriptors of such a write were not sent, so this returns an error.
function lostWith(socket) {
  const status = socket[kWriteStatus];
  return socket.destroyed && status < 0 ? errnoException(status, 'write') : null;
}

const isDescriptorHandle = (handle) => typeof handle.setMaxDescriptors === 'function';

// Makes a new view for each call, because it is the key of `attached`.
function toBuffer(payload) {
  if (payload === undefined || payload === null) return ONE_BYTE.subarray();
  if (typeof payload === 'string') return payload === '' ? ONE_BYTE.subarray() : Buffer.from(payload);
  if (!isUint8Array(payload)) throw invalidArgType('payload', ['string', 'Buffer', 'Uint8Array'], payload);
  if (payload.length === 0) return ONE_BYTE.subarray();
  return Buffer.from(payload.buffer, payload.byteOffset, payload.byteLength);
}

module.exports = { DescriptorHandle, descriptorHandle, sendDescriptors };
