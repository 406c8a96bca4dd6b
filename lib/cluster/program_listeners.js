'use strict';

// In the primary: the listeners for which unchanged programs in the workers ask (interception.js).
// Each is there once, however many workers use it.

const fs = require('node:fs');

const { UV_EINVAL } = require('../base/constants.js');

// As net.Server writes them.
const PIPE = -1;
const UV_TCP_IPV6ONLY = 1;

class ProgramListeners {
  #open;
  #entries = new Map(); // By the target.

  /**
   * @param {(args: any[], number: number | undefined, done: (error: any, listener: any) => void) => { close: () => void }} open
   *   listens, as the listener of a number if there is one; `done` is called once, with an error or
   *   { number, address }
   */
  constructor(open) {
    this.#open = open;
  }

  /** Answers a LISTEN of a worker's, once it listens or could not. */
  answer(worker, { target, data }, reply) {
    const key = JSON.stringify(target);
    const entry = this.#entries.get(key) ?? { handle: null, result: null, users: new Set(), waiting: [] };
    if (this.#entries.get(key) === undefined || isUnlinked(entry)) this.#start(key, entry, target, data);
    entry.users.add(worker);
    entry.waiting.push(reply);
    this.#settle(entry);
  }

  #start(key, entry, target, data) {
    this.#entries.set(key, entry);
    entry.handle?.close();
    const number = entry.result?.listener; // Workers know it by that.
    entry.result = null;
    entry.handle = this.#listen(target, number, (error, listener) => {
      if (error) this.#entries.delete(key); // The next one who asks tries again.
      const err = error ? (error.errno ?? UV_EINVAL) : 0;
      entry.result = { err, listener: listener?.number, name: listener?.address, data };
      this.#settle(entry);
    });
  }

  // What a worker sends may be anything, and what it wants may not be allowed.
  #listen(target, number, done) {
    try {
      return this.#open([argumentOf(target)], number, done);
    } catch (error) {
      done(error, undefined);
      return null;
    }
  }

  #settle({ result, waiting }) {
    if (result === null) return;
    for (const reply of waiting.splice(0)) reply(result);
  }

  /** The program of a worker has closed its server: the last one closes the listener. */
  release(worker, number) {
    for (const [key, entry] of this.#entries) {
      if (entry.result?.listener !== number || !entry.users.delete(worker) || entry.users.size > 0) continue;
      this.#entries.delete(key);
      entry.handle.close();
    }
  }

  /** The worker has ended. What it listened to stays open for the next one. */
  forget(worker) {
    for (const { users } of this.#entries.values()) users.delete(worker);
  }
}

// Programs remove the file of their socket before they listen: a worker that starts later removes
// that of a listener which is in use.
function isUnlinked({ result }) {
  return typeof result?.name === 'string' && result.name[0] !== '\0' && !fs.existsSync(result.name);
}

// The argument of listen() for what net.Server asks node:cluster for.
function argumentOf({ address, port, addressType, fd, flags, backlog }) {
  if (typeof fd === 'number') return { fd, backlog };
  if (addressType === PIPE) return { path: address, backlog, replaceStale: address[0] !== '\0' };
  return { port, host: address ?? undefined, ipv6Only: (flags & UV_TCP_IPV6ONLY) !== 0, backlog };
}

module.exports = { ProgramListeners };
