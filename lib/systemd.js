'use strict';

// What a service says to systemd, and gets from it. See sd_notify(3), systemd.socket(5).

const { createSocket } = require('./dgram/index.js');
const { invalidArgType } = require('./errors.js');

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

module.exports = { notify };
