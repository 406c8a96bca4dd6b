'use strict';

// pipewright/dgram: Unix datagram and seqpacket sockets.

const { UnixSocket } = require('./socket.js');
require('../net/conversions.js'); // Descriptor needs it: see lib/fd/descriptor.js.

/**
 * Makes a Unix socket that sends and receives messages.
 *
 * @param {'datagram' | 'seqpacket' | object} [options] type; socket: a descriptor to
 *   adopt; credentials: report the sender of each message; descriptors: receive them;
 *   maxDescriptors: limit for one message; signal: an AbortSignal that closes the socket
 * @throws ERR_INVALID_ARG_TYPE, ERR_INVALID_ARG_VALUE, ERR_INVALID_FD_TYPE (a stream socket),
 *   ERR_OUT_OF_RANGE, or the system's error
 */
function createSocket(options) {
  return new UnixSocket(options);
}

module.exports = { UnixSocket, createSocket };
