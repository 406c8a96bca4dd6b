'use strict';

// From a descriptor to a handle: `new Socket({ fd })`.

const { errno } = require('node:os').constants;

const { PipeWrap, TcpWrap, descriptorType } = require('../binding.js');
const { errnoException, invalidFdType } = require('../errors.js');
const { descriptorHandle } = require('./passing.js');
const { validateInt32 } = require('../validate.js');

const STREAMS = new Set(['character-device', 'fifo', 'pipe', 'tcp', 'tcp-server', 'tty', 'unix', 'unix-server']);
const NODES_NAMES = { __proto__: null, file: 'FILE', memfd: 'FILE', udp: 'UDP' };

function checkType(fd) {
  const type = descriptorType(fd);
  if (!STREAMS.has(type)) throw invalidFdType(NODES_NAMES[type] ?? 'UNKNOWN');
}

/**
 * Opens a TcpWrap or PipeWrap on the descriptor, which belongs to it from then on.
 *
 * With the option `descriptors` ({ maxDescriptors }, or null) a Unix socket gets a
 * MessageSocket.
 *
 * @throws ERR_INVALID_ARG_TYPE, ERR_OUT_OF_RANGE, ERR_INVALID_FD_TYPE (what is no
 *   stream, or cannot be polled, or is not open), or the system's error
 */
function handleOfFd(fd, descriptors) {
  validateInt32(fd, 'fd', 0);
  checkType(fd);
  if (descriptors !== null) {
    const handle = descriptorHandle(descriptors);
    // Of another family: TCP, or a pipe. They have none to receive.
    if (handle.open(fd) === 0) return handle;
    handle.close();
  }
  const tcp = new TcpWrap();
  if (tcp.open(fd) === 0) return tcp;
  tcp.close();
  const pipe = new PipeWrap();
  const err = pipe.open(fd);
  if (err === 0) return pipe;
  pipe.close();
  // A device that cannot be polled, as /dev/null: to Node every device is a file.
  if (err === -errno.EPERM) throw invalidFdType('FILE');
  throw errnoException(err, 'open');
}

module.exports = { handleOfFd };
