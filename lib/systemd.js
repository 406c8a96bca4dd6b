'use strict';

// What systemd's socket activation hands to a service: descriptors from number 3 on,
// named in the environment; and what a service says to it. See sd_listen_fds(3),
// systemd.socket(5) and sd_notify(3).

const { closeOnExec, socketName } = require('./base/binding.js');
const { createSocket } = require('./dgram/index.js');
const { errnoException, invalidArgType, invalidArgValue } = require('./base/errors.js');
const { Socket, createServer } = require('./net/index.js');

const FIRST_FD = 3;
const UNNAMED = 'unknown'; // As sd_listen_fds_with_names(3) has it.

const VARIABLES = ['LISTEN_PID', 'LISTEN_PIDFDID', 'LISTEN_FDS', 'LISTEN_FDNAMES'];

/** One descriptor that was handed over; it is the caller's to use or to close. */
class ListenDescriptor {
  constructor(fd, name) {
    /** Its number; with it, this object is what listen({ fd }) of any server takes. */
    this.fd = fd;
    /** FileDescriptorName= of the socket unit; 'unknown' where there are no names. */
    this.name = name;
  }

  /**
   * The path or abstract name; { address, family, port } of TCP and UDP; null of what is
   * no socket or has no name.
   */
  address() {
    const name = socketName(this.fd);
    return typeof name === 'number' || name === undefined ? null : name;
  }

  /** A pipewright/net server that listens on it. Arguments are those of createServer(). */
  toServer(options, listener) {
    return createServer(options, listener).listen({ fd: this.fd });
  }

  /** A pipewright/net socket over it, for units with Accept=yes: one connection each. */
  toSocket(options) {
    return new Socket({ ...options, fd: this.fd });
  }
}

/**
 * The descriptors that systemd passed to this process: [] when it passed none, or
 * passed them to another process. Each is close-on-exec from here on, and the variables
 * are taken out of process.env, so that children do not take them for theirs; a second
 * call finds none.
 *
 * @returns {ListenDescriptor[]}
 * @throws ERR_INVALID_ARG_VALUE when the variables contradict themselves; the system's
 *   error (EBADF) when a descriptor is not open
 */
function listenDescriptors() {
  const { LISTEN_PID, LISTEN_FDS, LISTEN_FDNAMES } = process.env;
  for (const variable of VARIABLES) delete process.env[variable];
  if (LISTEN_FDS === undefined || LISTEN_PID !== String(process.pid)) return [];
  const count = countOf(LISTEN_FDS);
  const names = namesOf(count, LISTEN_FDNAMES);
  const descriptors = [];
  for (let i = 0; i < count; i++) descriptors.push(adopt(FIRST_FD + i, names?.[i] ?? UNNAMED));
  return descriptors;
}

function countOf(text) {
  if (!/^\d{1,9}$/.test(text)) throw invalidArgValue('process.env.LISTEN_FDS', text, 'must be a number of descriptors');
  return Number(text);
}

function namesOf(count, text) {
  if (text === undefined) return undefined;
  const names = count === 0 ? [] : text.split(':');
  if (names.length === count) return names;
  throw invalidArgValue('process.env.LISTEN_FDNAMES', text, `must have ${count} names`);
}

function adopt(fd, name) {
  const err = closeOnExec(fd);
  if (err !== 0) throw errnoException(err, 'fcntl', `descriptor ${fd}`);
  return new ListenDescriptor(fd, name);
}

// Telling the service manager.

// Of an abstract name systemd writes '@' for its NUL byte.
const nameOf = (value) => (value.startsWith('@') ? `\0${value.slice(1)}` : value);

// 'READY=1', or { READY: 1, STATUS: 'serving' }.
function toText(state) {
  if (typeof state === 'string') return state;
  if (typeof state !== 'object' || state === null) throw invalidArgType('state', ['string', 'Object'], state);
  return Object.entries(state)
    .map(([key, value]) => `${key}=${value === true ? 1 : value}`)
    .join('\n');
}

/**
 * Tells the service manager, over the socket that NOTIFY_SOCKET names.
 *
 * @param {string | Record<string, string | number | boolean>} state such as 'READY=1' or
 *   { READY: true, STATUS: 'serving' }
 * @param {{ descriptors?: any[], env?: NodeJS.ProcessEnv }} [options] descriptors: to be
 *   kept across a restart, with FDSTORE=1; they stay open
 * @returns {Promise<boolean>} false where there is no manager that listens
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
