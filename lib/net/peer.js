'use strict';

// Who is at the other end of a Unix socket.

const binding = require('../base/binding.js');
const { errnoException } = require('../base/errors.js');

/**
 * { pid, uid, gid, groups } as the kernel noted them when the peer connected, listened
 * or made the pair. A pid of 0: in a namespace that is not visible from here.
 */
function peerCredentials(fd) {
  const credentials = binding.peerCredentials(fd);
  if (typeof credentials === 'number') throw errnoException(credentials, 'getsockopt');
  return credentials;
}

module.exports = { peerCredentials };
