'use strict';

// Converts a Descriptor to an object of pipewright or of Node, which then owns the number.
// Only the methods of Descriptor call these functions.

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

// A server without a handle failed to listen, which its 'error' will report. A socket
// without a handle was destroyed already, but it did own the descriptor.
const isListening = (server) => server._handle !== null;

function convert(descriptor, make, isTaken) {
  let object;
  descriptor[kHandOver]((fd) => {
    object = make(fd);
    return isTaken(object);
  });
  return object;
}

// Node's object closes the number, so this thread must not close it when it ends.
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

// In a worker thread, fs.close() would warn about a number that Node has not counted.
function closeOwn(fd, callback) {
  if (isMainThread) {
    untrackFd(fd);
    fs.close(fd, callback);
    return;
  }
  const err = closeFd(fd);
  process.nextTick(callback, err === 0 ? null : errnoException(err, 'close'));
}

// The thread owns the number until the stream closes it: if the thread is terminated before
// that, Node would leave the number open. With `autoClose: false` the caller owns it.
function convertToStream(descriptor, create, given) {
  const options = typeof given === 'string' ? { encoding: given } : given;
  const make = (more) => (fd) => create('', { autoClose: true, ...options, ...more, fd });
  if (options?.autoClose === false) return convertToNodes(descriptor, make());
  const { open, read, write, writev, fsync } = fs;
  const methods = { open, read, write, writev, fsync, ...options?.fs, close: closeOwn };
  return convert(descriptor, make({ fs: methods }), always);
}

// Node closes a number on which it cannot listen. So we listen on a copy first, and Node
// gets the number only if that worked. Returns 0 or a negative errno.
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
  return UV_EINVAL; // Node reports EINVAL for every descriptor on which it cannot listen.
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
