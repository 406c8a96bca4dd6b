'use strict';

// Makes a handle of a descriptor, for `new Socket({ fd })`.

const { errno } = require('node:os').constants;

const { PipeWrap, TcpWrap, descriptorType } = require('../base/binding.js');
const { errnoException, invalidFdType } = require('../base/errors.js');
const { adoptNumber } = require('../fd/own_number.js');
const { descriptorHandle } = require('./passing.js');
const { validateInt32 } = require('../base/validate.js');

const STREAMS = new Set(['character-device', 'fifo', 'pipe', 'tcp', 'tcp-server', 'tty', 'unix', 'unix-server']);
const NODES_NAMES = { __proto__: null, file: 'FILE', memfd: 'FILE', udp: 'UDP' };

function checkType(fd) {
  const type = descriptorType(fd);
  if (!STREAMS.has(type)) throw invalidFdType(NODES_NAMES[type] ?? 'UNKNOWN');
}

/**
 * Opens a TcpWrap or PipeWrap on the descriptor, and gives it the ownership. If
 * `descriptors` ({ maxDescriptors }, or null) is set, a Unix socket gets a MessageSocket.
 *
 * @throws ERR_INVALID_ARG_TYPE, ERR_OUT_OF_RANGE, ERR_INVALID_FD_TYPE (the descriptor is not
 *   a stream, cannot be polled, or is not open), or the system's error
 */
function handleOfFd(fd, descriptors) {
  validateInt32(fd, 'fd', 0);
  checkType(fd);
  // TCP sockets and pipes get one of these even if `descriptors` is set, because they cannot
  // carry descriptors.
  /** @type {(() => any)[]} */
  const kinds = [() => new TcpWrap(), () => new PipeWrap()];
  if (descriptors !== null) kinds.unshift(() => descriptorHandle(descriptors));
  let handle;
  const err = adoptNumber(fd, (own) => {
    let result;
    for (const make of kinds) {
      handle = make();
      result = handle.open(own);
      if (result === 0) return 0;
      handle.close();
    }
    return result;
  });
  // A device that cannot be polled, such as /dev/null. Node reports such a device as a file.
  if (err === -errno.EPERM) throw invalidFdType('FILE');
  if (err !== 0) throw errnoException(err, 'open');
  return handle;
}

module.exports = { handleOfFd };
