'use strict';

// From a descriptor to a handle: `new Socket({ fd })`.

const fs = require('node:fs');

const { PipeWrap, TcpWrap } = require('../binding.js');
const { errnoException, invalidFdType } = require('../errors.js');
const { descriptorHandle } = require('./passing.js');
const { validateInt32 } = require('../validate.js');

const typeName = (stats) => (stats.isFile() || stats.isDirectory() || stats.isBlockDevice() ? 'FILE' : 'UNKNOWN');

// What cannot be polled has no place in an event loop.
function checkType(fd) {
  let stats;
  try {
    stats = fs.fstatSync(fd);
  } catch {
    throw invalidFdType('UNKNOWN');
  }
  if (!stats.isSocket() && !stats.isFIFO() && !stats.isCharacterDevice()) throw invalidFdType(typeName(stats));
}

/**
 * Opens a TcpWrap or PipeWrap on the descriptor, which belongs to it from then on.
 *
 * With the option `descriptors` ({ maxDescriptors }, or null) a Unix socket gets a
 * MessageSocket.
 *
 * @throws ERR_INVALID_ARG_TYPE, ERR_OUT_OF_RANGE, ERR_INVALID_FD_TYPE (files,
 *   directories, closed descriptors), or the system's error
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
  throw errnoException(err, 'open');
}

module.exports = { handleOfFd };
