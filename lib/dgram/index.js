'use strict';

// pipewright/dgram: Unix datagram and seqpacket sockets.

const { UnixSocket } = require('./socket.js');
require('../net/conversions.js'); // Descriptor needs it: see lib/fd/descriptor.js.

/**
 * A Unix socket of messages.
 *
 * @param {'datagram' | 'seqpacket' | object} [options] type; socket: a descriptor to
 *   adopt; credentials: tell of each message who sent it; descriptors: receive them;
 *   maxDescriptors of a message; signal, which closes it
 * @throws ERR_INVALID_ARG_TYPE, ERR_INVALID_ARG_VALUE, ERR_INVALID_FD_TYPE (a stream socket),
 *   ERR_OUT_OF_RANGE, or the system's error
 */
function createSocket(options) {
  return new UnixSocket(options);
}

module.exports = { UnixSocket, createSocket };
