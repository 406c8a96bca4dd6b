'use strict';

// Converts a Descriptor to an object of pipewright or of Node, which owns the number from
// then on. Only the methods of Descriptor call these functions.

const fs = require('node:fs');
const net = require('node:net');
const { isMainThread } = require('node:worker_threads');

const { Listener, closeFd, descriptorType, duplicateFd, untrackFd } = require('../base/binding.js');
const { UV_EINVAL } = require('../base/constants.js');
const { errnoException, listenException } = require('../base/errors.js');
const { kHandOver } = require('../fd/descriptor.js');
const { Server } = require('./server.js');
const { Socket } = require('./socket.js');

const LISTENING = new Set(['tcp-server', 'unix-server']);

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

// The number is the thread's until the stream closes it: Node would leave it open if the
// thread is terminated before. One that the stream is not to close is the caller's.
function convertToStream(descriptor, create, given) {
  const options = typeof given === 'string' ? { encoding: given } : given;
  const make = (more) => (fd) => create('', { autoClose: true, ...options, ...more, fd });
  if (options?.autoClose === false) return convertToNodes(descriptor, make());
  const { open, read, write, writev, fsync } = fs;
  const methods = { open, read, write, writev, fsync, ...options?.fs, close: closeOwn };
  return convert(descriptor, make({ fs: methods }), always);
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

const toSocket = (descriptor, options) =>
  convert(descriptor, (fd) => new Socket({ readable: true, writable: true, ...options, fd }), always);

const toServer = (descriptor, options, listener) =>
  convert(descriptor, (fd) => new Server(options, listener).listen({ fd }), isListening);

const toNodeSocket = (descriptor, options) =>
  convertToNodes(descriptor, (fd) => new net.Socket({ readable: true, writable: true, ...options, fd }));

const toNodeServer = (descriptor, options, listener) =>
  convertToNodes(descriptor, (fd) => listenWithNode(net.createServer(options, listener), fd), isListening);

const toReadStream = (descriptor, options) => convertToStream(descriptor, fs.createReadStream, options);

const toWriteStream = (descriptor, options) => convertToStream(descriptor, fs.createWriteStream, options);

module.exports = { toNodeServer, toNodeSocket, toReadStream, toServer, toSocket, toWriteStream };
