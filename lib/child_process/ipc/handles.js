'use strict';

// What travels beside a message: from an object to a descriptor and the words by which
// Node knows its kind, and back.

const dgram = require('node:dgram');

const { Listener, PipeWrap, TcpWrap, descriptorType, socketName, untrackFd } = require('../../base/binding.js');
const { errnoException, handleNotSendable, plain } = require('../../base/errors.js');
const { Descriptor, kHandOver } = require('../../fd/descriptor.js');
const { kLend, lendKept } = require('../../fd/lend.js');
const { detachHandle, fdOf, kindOf, refuseData } = require('../../fd/node_objects.js');

// The kinds of descriptors that a plain Node process can take, each with Node's name for the
// object that becomes of it. libuv there aborts the process at some others; at the rest it
// stops taking any descriptors for good.
const SENDABLE = {
  __proto__: null,
  fifo: 'net.Socket',
  pipe: 'net.Socket',
  tcp: 'net.Socket',
  'tcp-server': 'net.Server',
  udp: 'dgram.Socket',
  unix: 'net.Socket',
  'unix-server': 'net.Server',
};

const ABORTING = new Set(['block-device', 'character-device', 'file', 'memfd', 'tty']);

// Handles without an object around them, Node's and ours, by the names of their classes:
// there may be several copies of ours.
const NATIVE = {
  __proto__: null,
  Listener: 'net.Native',
  Pipe: 'net.Native',
  PipeWrap: 'net.Native',
  TCP: 'net.Native',
  TcpWrap: 'net.Native',
  UDP: 'dgram.Native',
};

/**
 * @typedef {object} Outgoing
 * @property {string} type Node's name for what it is
 * @property {object} fields further ones of its message: `key`, `dgramType`
 * @property {number} fd stays open until settle()
 * @property {(isDelivered: boolean, isGone: boolean) => void} settle to be called once. isDelivered:
 *   the child has it; isGone: a socket that is not kept open, or a Descriptor, is closed here
 */

/**
 * Lends the descriptor of what is given to send().
 *
 * @param {any} item a socket or server of Node's or ours, a dgram.Socket, a Descriptor, or a
 *   handle without an object around it
 * @param {boolean} keepOpen whether a socket goes on here too
 * @param {import('./connections.js').Connections} connections
 * @returns {Outgoing | null} null of a socket or server that is closed, or was sent before
 * @throws ERR_INVALID_HANDLE_TYPE, ERR_IPC_HANDLE_NOT_SENDABLE, ERR_DESCRIPTOR_CLOSED,
 *   ERR_DESCRIPTOR_UNREAD_DATA, EMFILE
 */
function lendHandle(item, keepOpen, connections) {
  const lent = lend(item, keepOpen, connections);
  if (lent === null) return null;
  const { settle, arrive, ...rest } = lent;
  const settleBoth = (isDelivered, isGone) => {
    settle(isGone);
    arrive?.(isDelivered);
  };
  return { ...rest, settle: settleBoth };
}

/** @returns {any} as Outgoing, but for settle(isGone) and, for a connection that is counted, arrive(isDelivered) */
function lend(item, keepOpen, connections) {
  if (typeof item !== 'object') throw plain('ERR_INVALID_HANDLE_TYPE');
  if (Descriptor.isDescriptor(item)) return lendDescriptor(item, keepOpen);
  const native = NATIVE[item.constructor?.name];
  if (native !== undefined && typeof item.fd === 'number') return lendNative(item, native);
  const kind = kindOf(item);
  if (kind === undefined) throw plain('ERR_INVALID_HANDLE_TYPE');
  if (item.encrypted === true) {
    throw handleNotSendable('TLS socket', 'its keys would stay here. Send the socket below it, before TLS begins');
  }
  const fd = fdOf(item);
  if (fd === undefined || fd < 0) return null;
  checkSendable(fd);
  if (kind === 'net.Socket') return lendSocket(item, keepOpen, connections);
  // A server or a dgram.Socket goes on here as well.
  const fields = kind === 'dgram.Socket' ? { dgramType: item.type } : {};
  return { type: kind, fields, ...lendKeeping(item, fd) };
}

const lendKeeping = (item, fd) => (typeof item[kLend] === 'function' ? item[kLend]({ keep: true }) : lendKept(fd));

function lendDescriptor(descriptor, keepOpen) {
  if (!descriptor.isOpen) throw plain('ERR_DESCRIPTOR_CLOSED');
  const type = checkSendable(descriptor.fd);
  const fields = type === 'dgram.Socket' ? { dgramType: datagramType(descriptor.fd) } : {};
  return { type, fields, ...descriptor[kLend]({ keep: keepOpen }) };
}

function lendNative(handle, type) {
  if (handle.fd < 0) return null;
  checkSendable(handle.fd);
  return { type, fields: {}, ...lendKept(handle.fd) };
}

function lendSocket(socket, keepOpen, connections) {
  if (leaving.has(socket)) return null;
  // The server that it belongs to: an http server that was given the socket calls itself so.
  const server = socket.server;
  const key = server?._connectionKey;
  const isCounted = typeof key === 'string' && typeof server._setupWorker === 'function';
  const lent = keepOpen || typeof socket[kLend] === 'function' ? lendOpen(socket, keepOpen) : lendDetached(socket);
  const settle = keepOpen ? lent.settle : leave(socket, isCounted, lent.settle);
  if (!isCounted) return { type: 'net.Socket', fields: {}, fd: lent.fd, settle };
  return { type: 'net.Socket', fields: { key }, fd: lent.fd, settle, arrive: connections.send(server, key) };
}

/** Sockets that are on their way to a child, and not kept. */
const leaving = new WeakSet();

function leave(socket, isCounted, settle) {
  leaving.add(socket);
  const settleCounted = isCounted ? uncount(socket, settle) : settle;
  return (isGone) => {
    leaving.delete(socket);
    settleCounted(isGone || socket.destroyed); // Destroyed meanwhile, it is not to go on.
  };
}

function lendOpen(socket, keepOpen) {
  return typeof socket[kLend] === 'function' ? socket[kLend]({ keep: keepOpen }) : lendKept(socket._handle.fd);
}

// Node's own socket, which is no longer of use here.
function lendDetached(socket) {
  refuseData(socket);
  const { handle, giveBack } = detachHandle(socket);
  return { fd: handle.fd, settle: (isGone) => (isGone ? handle.close() : giveBack()) };
}

// From now on the connection is one of the child's, which answers for it.
function uncount(socket, settle) {
  const server = socket._server ?? socket.server;
  server._connections -= 1;
  socket._server = null;
  return (isGone) => {
    if (!isGone) {
      server._connections += 1;
      socket._server = server;
    }
    settle(isGone);
    if (isGone) server._emitCloseIfDrained?.();
  };
}

function checkSendable(fd) {
  const type = descriptorType(fd);
  if (typeof type === 'number') throw errnoException(type, 'fstat');
  if (SENDABLE[type] !== undefined) return SENDABLE[type];
  const why = ABORTING.has(type)
    ? 'it would abort a process that has only Node'
    : 'a process that has only Node could not take it, nor any handle after it';
  throw handleNotSendable(type, why);
}

function datagramType(fd) {
  const name = socketName(fd);
  return typeof name === 'object' && name.family === 'IPv6' ? 'udp6' : 'udp4';
}

// Receiving.

/**
 * What becomes of a descriptor that came as `type`; the Descriptor itself where that is not
 * known here, or it is no such thing.
 *
 * @param {Descriptor} descriptor
 * @param {{ type: string, dgramType?: string }} message
 * @returns {any}
 */
function receiveHandle(descriptor, { type, dgramType }) {
  const make = MAKERS[type];
  if (make === undefined) return descriptor;
  try {
    return make(descriptor, dgramType);
  } catch {
    return descriptor; // It is still open: a conversion that fails leaves it.
  }
}

const isListening = (descriptor) => SENDABLE[descriptor.type] === 'net.Server';

const MAKERS = {
  __proto__: null,
  'dgram.Socket': toDatagramSocket,
  'net.Native': toNative,
  'net.Server': (descriptor) => (isListening(descriptor) ? descriptor.toServer() : descriptor),
  'net.Socket': (descriptor) => (SENDABLE[descriptor.type] === 'net.Socket' ? descriptor.toSocket() : descriptor),
};

// Node's: there is none of ours for UDP.
function toDatagramSocket(descriptor, dgramType) {
  if (descriptor.type !== 'udp') return descriptor;
  const socket = dgram.createSocket(dgramType === 'udp6' ? 'udp6' : 'udp4');
  try {
    descriptor[kHandOver]((fd) => {
      socket.bind({ fd, exclusive: true });
      untrackFd(fd);
      return true;
    });
  } catch (error) {
    socket.close();
    throw error;
  }
  return socket;
}

function toNative(descriptor) {
  const { type } = descriptor;
  const isServer = isListening(descriptor);
  const handle = isServer ? new Listener() : type === 'tcp' ? new TcpWrap() : new PipeWrap();
  descriptor[kHandOver]((fd) => {
    const err = isServer ? handle.listenOnFd(fd, BACKLOG) : handle.open(fd);
    if (err !== 0) throw errnoException(err, 'open');
    return true;
  });
  return handle;
}

const BACKLOG = 511; // As Node's: listen(2) again, which changes nothing else.

module.exports = { lendHandle, receiveHandle };
