'use strict';

// From a Descriptor to an object of pipewright or of Node, which owns it from then on.
// Loaded by lib/net/index.js, it gives Descriptor its methods.

const fs = require('node:fs');
const net = require('node:net');

const { Descriptor } = require('../fd/descriptor.js');
const { plain } = require('../base/errors.js');
const { Server } = require('./server.js');
const { Socket } = require('./socket.js');

// Taken only when the object could be made: until then a failure leaves it as it was.
function convert(descriptor, make) {
  if (!descriptor.isOpen) throw plain('ERR_DESCRIPTOR_CLOSED');
  const object = make(descriptor.fd);
  // A server without a handle could not listen, as its 'error' will say.
  if (object._handle !== null) descriptor.take();
  return object;
}

const methods = {
  /** pipewright's Socket: of a Unix or TCP connection, a pipe, a FIFO, a terminal. */
  toSocket(options) {
    return convert(this, (fd) => new Socket({ readable: true, writable: true, ...options, fd }));
  },

  /** pipewright's Server, which listens already; its 'listening' comes all the same. */
  toServer(options, listener) {
    return convert(this, (fd) => new Server(options, listener).listen({ fd }));
  },

  /** node:net's Socket. */
  toNodeSocket(options) {
    return convert(this, (fd) => new net.Socket({ readable: true, writable: true, ...options, fd }));
  },

  /** node:net's Server; for other servers of Node: server.listen({ fd: descriptor.take() }). */
  toNodeServer(options, listener) {
    return convert(this, (fd) => net.createServer(options, listener).listen({ fd }));
  },

  toReadStream(options) {
    return convert(this, (fd) => fs.createReadStream('', { autoClose: true, ...options, fd }));
  },

  toWriteStream(options) {
    return convert(this, (fd) => fs.createWriteStream('', { autoClose: true, ...options, fd }));
  },
};

for (const [name, value] of Object.entries(methods)) {
  Object.defineProperty(Descriptor.prototype, name, { value, writable: true, configurable: true });
}

module.exports = { Descriptor };
