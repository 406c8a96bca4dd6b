'use strict';

// What can be sent in place of a descriptor, and what becomes of it. Everything stays
// open until the kernel has taken it, and open for good where that failed. After that,
// what is ours is closed unless `keep` is set; numbers and Node's objects stay the
// caller's.

const binding = require('../base/binding.js');
const { Descriptor, kBeginSending, kEndSending } = require('./descriptor.js');
const { errnoException, invalidArgType, plain } = require('../base/errors.js');
const { forgetFile } = require('../base/socket_files.js');

const ACCEPTED = ['number', 'Descriptor', 'Socket', 'Server', 'FileHandle', 'ChildProcess'];

const nothing = () => {};

/**
 * @param {any} item
 * @param {boolean} keep
 * @returns {{ fd: number, settle: (sent: boolean) => void }} `settle` is to be called once
 * @throws ERR_INVALID_ARG_TYPE, ERR_DESCRIPTOR_CLOSED, ERR_DESCRIPTOR_UNREAD_DATA, EMFILE
 */
function sendable(item, keep) {
  if (typeof item === 'number' && Number.isInteger(item) && item >= 0) return { fd: item, settle: nothing };
  if (typeof item !== 'object' || item === null) throw invalidArgType('descriptor', ACCEPTED, item);
  if (Descriptor.isDescriptor(item)) return ofDescriptor(item, keep);
  if (typeof item.pidfd === 'function') return ofChild(item);
  if (typeof item.pidfd === 'number') return { fd: openFd(item.pidfd), settle: nothing };
  if (isNodeDatagramSocket(item)) return { fd: openFd(datagramFd(item)), settle: nothing };
  const handle = item._handle ?? undefined;
  if (isOurs(handle)) return isListener(handle) ? ofServer(item, handle, keep) : ofSocket(item, handle, keep);
  if (typeof handle?.fd === 'number') return { fd: openFd(handle.fd), settle: nothing };
  if (handle === undefined && item._handle === null) throw plain('ERR_DESCRIPTOR_CLOSED');
  if (typeof item.fd === 'number') return { fd: openFd(item.fd), settle: nothing };
  throw invalidArgType('descriptor', ACCEPTED, item);
}

/** All of a list, or none. */
function sendableList(list, keep) {
  const parts = [];
  try {
    for (const item of list) parts.push(sendable(item, keep));
  } catch (error) {
    for (const { settle } of parts) settle(false);
    throw error;
  }
  return parts;
}

function openFd(fd) {
  if (fd < 0) throw plain('ERR_DESCRIPTOR_CLOSED');
  return fd;
}

// Every handle of ours has it, and none of Node's.
const isOurs = (handle) => typeof handle?.hasUnread === 'function';
const isListener = (handle) => typeof handle.listenOnFd === 'function';

// node:dgram's Socket warns of whoever asks for its _handle.
const isNodeDatagramSocket = ({ type, setMulticastTTL }) =>
  (type === 'udp4' || type === 'udp6') && typeof setMulticastTTL === 'function';

function datagramFd(socket) {
  const state = Object.getOwnPropertySymbols(socket).find(({ description }) => description === 'state symbol');
  return socket[state]?.handle?.fd ?? -1;
}

function ofDescriptor(descriptor, keep) {
  const fd = descriptor[kBeginSending]();
  return {
    fd,
    settle(sent) {
      descriptor[kEndSending]();
      if (sent && !keep) descriptor.close();
    },
  };
}

// Objects that others may close at any time lend a copy: while it waits to be sent, their
// own number may become another file's.
function lendCopy(fd, whenSettled) {
  const copy = binding.duplicateFd(openFd(fd));
  if (copy < 0) throw errnoException(copy, 'fcntl');
  return {
    fd: copy,
    settle(sent) {
      binding.closeFd(copy);
      whenSettled(sent);
    },
  };
}

const ofChild = (child) => lendCopy(child.pidfd() ?? -1, nothing);

// The file at its path is the receiver's from now on, or shared with it.
function keepFile(handle) {
  handle.keepFile();
  forgetFile(handle);
}

function ofServer(server, handle, keep) {
  const lent = lendCopy(handle.fd, (sent) => {
    if (sent && !keep) server.close();
  });
  keepFile(handle);
  return lent;
}

// What was read but not consumed would be lost to the receiver, what was written but
// not sent would come after what the receiver writes.
function ofSocket(socket, handle, keep) {
  if (!keep && hasData(socket, handle)) throw plain('ERR_DESCRIPTOR_UNREAD_DATA');
  const lent = lendCopy(handle.fd, (sent) => {
    if (sent && !keep) close(socket);
  });
  if (handle.keepFile !== undefined) keepFile(handle);
  if (!keep) stopReading(socket, handle);
  return lent;
}

function hasData(socket, handle) {
  return socket.readableLength > 0 || socket.writableLength > 0 || handle.writeQueueSize > 0 || handle.hasUnread();
}

function stopReading(socket, handle) {
  socket.pause?.();
  handle.readStop();
  handle.reading = false;
}

function close(socket) {
  if (typeof socket.destroy === 'function') {
    socket.destroy();
  } else {
    socket.close();
  }
}

/**
 * A Descriptor of the same, which is then its only owner: an object of ours is closed,
 * of numbers and Node's objects a copy is made.
 *
 * @throws as sendable(), EMFILE
 */
function toDescriptor(item) {
  if (Descriptor.isDescriptor(item)) return item;
  const { fd, settle } = sendable(item, false);
  const copy = binding.duplicateFd(fd);
  if (copy < 0) {
    settle(false);
    throw errnoException(copy, 'fcntl');
  }
  const descriptor = Descriptor.from(copy);
  settle(true);
  return descriptor;
}

module.exports = { sendable, sendableList, toDescriptor };
