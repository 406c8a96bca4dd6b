'use strict';

// Descriptors on ordinary sockets, those with the option `descriptors`: the event
// 'descriptors' and the method sendDescriptors(). Their handle is a MessageSocket.

const { isUint8Array } = require('node:util').types;

const { MessageSocket, closeInBackground } = require('../base/binding.js');
const { received } = require('../fd/descriptor.js');
const { MAX_DESCRIPTORS } = require('../base/constants.js');
const { errnoException, invalidArgType, outOfRange, plain } = require('../base/errors.js');
const { sendableList } = require('../fd/sendable.js');
const { kOwner, kWriteStatus } = require('./symbols.js');

const ONE_BYTE = Buffer.alloc(1); // Descriptors need a byte to travel with.

/** The descriptors that are to go with a buffer, by the buffer. */
const attached = new WeakMap();

/** A MessageSocket whose writes take the descriptors attached to a buffer along. */
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

/** The handle of a socket that is opened with these options, if they ask for descriptors. */
function descriptorHandle({ maxDescriptors }) {
  const handle = new DescriptorHandle();
  if (maxDescriptors !== undefined) handle.setMaxDescriptors(maxDescriptors);
  return handle;
}

/**
 * The method Socket.prototype.sendDescriptors: writes `payload` (default: one NUL byte)
 * with the descriptors, in the order of all writes. The callback comes when the kernel
 * has taken them; with ECANCELED where the socket was destroyed before.
 *
 * @param {Iterable<any>} list of what sendable.js takes, at most 253
 * @param {Uint8Array | string | null} [payload]
 * @param {{ keep?: boolean } | Function} [options] keep: do not close ours once they were sent
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
  const parts = sendableList(list, options?.keep === true);
  if (parts.length > MAX_DESCRIPTORS || parts.length === 0) {
    for (const part of parts) part.settle(false);
    throw outOfRange('list.length', `>= 1 && <= ${MAX_DESCRIPTORS}`, parts.length);
  }
  attached.set(
    buffer,
    Int32Array.from(parts, ({ fd }) => fd),
  );
  return this.write(buffer, undefined, (writeError) => {
    // If they are still attached, the handle never saw them.
    const isUnseen = take(buffer) !== undefined;
    const error = writeError ?? (isUnseen ? plain('ERR_SOCKET_CLOSED') : lostWith(this));
    for (const part of parts) part.settle(error === null);
    callback?.(error);
  });
}

// A destroyed socket tells its writers of success, as Node does, also of a write that was
// waiting in the handle. Descriptors of such a one were not sent.
function lostWith(socket) {
  const status = socket[kWriteStatus];
  return socket.destroyed && status < 0 ? errnoException(status, 'write') : null;
}

const isDescriptorHandle = (handle) => typeof handle.setMaxDescriptors === 'function';

// A view of its own, by which the descriptors are found again.
function toBuffer(payload) {
  if (payload === undefined || payload === null) return ONE_BYTE.subarray();
  if (typeof payload === 'string') return payload === '' ? ONE_BYTE.subarray() : Buffer.from(payload);
  if (!isUint8Array(payload)) throw invalidArgType('payload', ['string', 'Buffer', 'Uint8Array'], payload);
  if (payload.length === 0) return ONE_BYTE.subarray();
  return Buffer.from(payload.buffer, payload.byteOffset, payload.byteLength);
}

module.exports = { descriptorHandle, sendDescriptors };
