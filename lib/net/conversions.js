'use strict';

// From a Descriptor to an object of pipewright or of Node, which owns it from then on.
// Loaded by lib/net/index.js, it gives Descriptor its methods.

const fs = require('node:fs');
const net = require('node:net');

const { untrackFd } = require('../base/binding.js');
const { Descriptor, kHandOver } = require('../fd/descriptor.js');
const { Server } = require('./server.js');
const { Socket } = require('./socket.js');

// Of these Node's server makes a handle, which it closes where it cannot listen on it.
const OPENED_BY_NODE = new Set(['fifo', 'pipe', 'tcp', 'tcp-server', 'unix', 'unix-server']);

const always = () => true;

// A server without a handle could not listen, as its 'error' will say. A socket may have
// none, and has owned the descriptor all the same: it is destroyed by then.
const isListening = (server) => server._handle !== null;

function convert(descriptor, make, isTaken) {
  let object;
  descriptor[kHandOver]((fd) => {
    object = make(fd);
    return isTaken(object);
  });
  return object;
}

// This thread closes it no longer, Node's object does.
function convertToNodes(descriptor, make, isTaken = always) {
  let own;
  const object = convert(
    descriptor,
    (fd) => {
      own = fd;
      return make(fd);
    },
    isTaken,
  );
  if (!descriptor.isOpen) untrackFd(own);
  return object;
}

// The number is the thread's until the stream closes it: Node would leave it open where
// the thread is terminated before.
const streamFs = Object.assign(Object.create(fs), {
  close(fd, callback) {
    untrackFd(fd);
    fs.close(fd, callback);
  },
});

function convertToStream(descriptor, create, options) {
  const closesItself = options?.autoClose !== false && !options?.fs;
  const make = (fd) => create('', { autoClose: true, ...options, fs: closesItself ? streamFs : options.fs, fd });
  return closesItself ? convert(descriptor, make, always) : convertToNodes(descriptor, make);
}

const methods = {
  /** pipewright's Socket: of a Unix or TCP connection, a pipe, a FIFO, a terminal. */
  toSocket(options) {
    return convert(this, (fd) => new Socket({ readable: true, writable: true, ...options, fd }), always);
  },

  /** pipewright's Server, which listens already; its 'listening' comes all the same. */
  toServer(options, listener) {
    return convert(this, (fd) => new Server(options, listener).listen({ fd }), isListening);
  },

  /** node:net's Socket. */
  toNodeSocket(options) {
    return convertToNodes(this, (fd) => new net.Socket({ readable: true, writable: true, ...options, fd }));
  },

  /** node:net's Server; for other servers of Node: server.listen({ fd: descriptor.take() }). */
  toNodeServer(options, listener) {
    const isOpened = this.isOpen && OPENED_BY_NODE.has(this.type);
    return convertToNodes(
      this,
      (fd) => net.createServer(options, listener).listen({ fd }),
      (server) => isOpened || isListening(server),
    );
  },

  toReadStream(options) {
    return convertToStream(this, fs.createReadStream, options);
  },

  toWriteStream(options) {
    return convertToStream(this, fs.createWriteStream, options);
  },
};

for (const [name, value] of Object.entries(methods)) {
  Object.defineProperty(Descriptor.prototype, name, { value, writable: true, configurable: true });
}

module.exports = { Descriptor };
