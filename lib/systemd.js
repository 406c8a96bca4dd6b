'use strict';

// The service's side of systemd: takes the descriptors of socket activation, and notifies the
// service manager. See sd_listen_fds(3), systemd.socket(5) and sd_notify(3).

const { takeAll } = require('./base/activation.js');
const { socketName } = require('./base/binding.js');
const { createSocket } = require('./dgram/index.js');
const { invalidArgType } = require('./base/errors.js');
const { Socket, createServer } = require('./net/index.js');

/** A descriptor that systemd passed to this process. The caller owns it and closes it. */
class ListenDescriptor {
  constructor(fd, name) {
    /** The number. With this property, the object can be passed to listen() of any server. */
    this.fd = fd;
    /** FileDescriptorName= of the socket unit; 'unknown' if there are no names. */
    this.name = name;
  }

  /**
   * Returns the path or abstract name of a Unix socket, { address, family, port } for TCP
   * and UDP, or null if the descriptor is not a socket or has no name.
   */
  address() {
    const name = socketName(this.fd);
    return typeof name === 'number' || name === undefined ? null : name;
  }

  /** Returns a pipewright/net server that listens on it. Arguments are those of createServer(). */
  toServer(options, listener) {
    return createServer(options, listener).listen({ fd: this.fd });
  }

  /** Returns a pipewright/net socket, for units with Accept=yes, which pass a connection. */
  toSocket(options) {
    return new Socket({ ...options, fd: this.fd });
  }
}

/**
 * Returns the descriptors that systemd passed to this process; [] if it passed none, or
 * passed them to another process. Makes each close-on-exec and deletes the variables from
 * process.env, so that a child does not take them for its own. A second call returns [].
 *
 * @returns {ListenDescriptor[]}
 * @throws ERR_INVALID_ARG_VALUE if the variables contradict each other; the system's error
 *   (EBADF) if a descriptor is not open
 */
function listenDescriptors() {
  return takeAll().map(({ fd, name }) => new ListenDescriptor(fd, name));
}

// Notifying the service manager.

// systemd writes the leading NUL byte of an abstract name as '@'.
const nameOf = (value) => (value.startsWith('@') ? `\0${value.slice(1)}` : value);

// Accepts 'READY=1', or { READY: 1, STATUS: 'serving' }.
function toText(state) {
  if (typeof state === 'string') return state;
  if (typeof state !== 'object' || state === null) throw invalidArgType('state', ['string', 'Object'], state);
  return Object.entries(state)
    .map(([key, value]) => `${key}=${value === true ? 1 : value}`)
    .join('\n');
}

/**
 * Sends `state` to the service manager, over the socket that NOTIFY_SOCKET names.
 *
 * @param {string | Record<string, string | number | boolean>} state such as 'READY=1' or
 *   { READY: true, STATUS: 'serving' }
 * @param {{ descriptors?: any[], env?: NodeJS.ProcessEnv }} [options] descriptors: for the
 *   manager to keep across a restart, with FDSTORE=1; they stay open here
 * @returns {Promise<boolean>} false if NOTIFY_SOCKET is not set: no manager listens
 * @throws ERR_INVALID_ARG_TYPE; rejects with the system's error
 */
async function notify(state, { descriptors = [], env = process.env } = {}) {
  const text = toText(state);
  if (!env.NOTIFY_SOCKET) return false;
  const socket = createSocket({ type: 'datagram' });
  try {
    await socket.send(text, { path: nameOf(env.NOTIFY_SOCKET), descriptors, keep: true });
  } finally {
    socket.close();
  }
  return true;
}

module.exports = { listenDescriptors, notify };
