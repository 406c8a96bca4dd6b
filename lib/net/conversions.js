'use strict';

// From a Descriptor to an object of pipewright or of Node, which owns it from then on.
// Loaded by lib/net/index.js, it gives Descriptor its methods.

const fs = require('node:fs');
const net = require('node:net');
const { isMainThread } = require('node:worker_threads');

const { Listener, closeFd, descriptorType, duplicateFd, untrackFd } = require('../base/binding.js');
const { UV_EINVAL } = require('../base/constants.js');
const { errnoException, listenException } = require('../base/errors.js');
const { Descriptor, kFreeFd, kGiveUp } = require('../fd/descriptor.js');
const { Server } = require('./server.js');
const { Socket } = require('./socket.js');

const LISTENING = new Set(['tcp-server', 'unix-server']);

// Taken only when the object could be made: until then a failure leaves it as it was.
function convert(descriptor, make) {
  const object = make(descriptor[kFreeFd]());
  // A server without a handle could not listen, as its 'error' will say.
  if (object._handle !== null) descriptor.take();
  return object;
}

// A stream of node:fs that closes the number as its owner. It is the thread's until then,
// and closed with it; one that the stream is not to close is the caller's.
function convertToFile(descriptor, create, given) {
  const options = typeof given === 'string' ? { encoding: given } : given;
  const { open, read, write, writev, fsync } = fs;
  const methods = { open, read, write, writev, fsync, ...options?.fs, close: closeOwn };
  const stream = create('', { autoClose: true, ...options, fd: descriptor[kFreeFd](), fs: methods });
  if (options?.autoClose === false) descriptor.take();
  else descriptor[kGiveUp]();
  return stream;
}

// In a worker thread Node warns of a number that it has not counted.
function closeOwn(fd, callback) {
  if (isMainThread) {
    untrackFd(fd);
    fs.close(fd, callback);
    return;
  }
  const err = closeFd(fd);
  process.nextTick(callback, err === 0 ? null : errnoException(err, 'close'));
}

// Node closes a number on which it cannot listen. So it gets only one that listens.
function makeListen(fd) {
  if (LISTENING.has(descriptorType(fd))) return 0;
  const copy = duplicateFd(fd);
  if (copy < 0) return copy;
  const listener = new Listener();
  if (listener.listenOnFd(copy, 1) === 0) {
    listener.close();
    return 0;
  }
  closeFd(copy);
  return UV_EINVAL; // As Node says of all that it cannot listen on.
}

function listenWithNode(server, fd) {
  const err = makeListen(fd);
  if (err === 0) return server.listen({ fd });
  process.nextTick(() => server.emit('error', listenException(err, null, -1)));
  return server;
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
    return convert(this, (fd) => listenWithNode(net.createServer(options, listener), fd));
  },

  toReadStream(options) {
    return convertToFile(this, fs.createReadStream, options);
  },

  toWriteStream(options) {
    return convertToFile(this, fs.createWriteStream, options);
  },
};

for (const [name, value] of Object.entries(methods)) {
  Object.defineProperty(Descriptor.prototype, name, { value, writable: true, configurable: true });
}

module.exports = { Descriptor };
