'use strict';

// From a descriptor to a handle: `new Socket({ fd })`.

const fs = require('node:fs');

const { PipeWrap, TcpWrap } = require('../binding.js');
const { errnoException, invalidFdType } = require('../errors.js');
const { adoptNumber } = require('../own_number.js');
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
  // Not a Unix socket: TCP, or a pipe. They have no descriptors to receive.
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
  if (err !== 0) throw errnoException(err, 'open');
  return handle;
}

module.exports = { handleOfFd };
