'use strict';

// In the primary: the listeners for which unchanged programs in the workers ask (interception.js).
// Each is there once, however many workers use it.

const fs = require('node:fs');

const { UV_EINVAL } = require('../base/constants.js');
const { EVERY_LISTENER } = require('./marks.js');
const { normalizeListen } = require('./options.js');

// As net.Server writes them.
const PIPE = -1;
const UV_TCP_IPV6ONLY = 1;

// Milliseconds that a listener stays open after its last worker's end: for a successor, which may ask
// for it some time after it is ready.
const LEFT_OPEN = 10_000;

class ProgramListeners {
  #listeners;
  #mayCloseUnused;
  #entries = new Map(); // By the target.
  #data = undefined; // The first TLS server's ticket keys: with them sessions resume in each worker.
  #unanswered = []; // What to do once a listen() of the cluster has come to an end.

  /**
   * @param {import('./listeners.js').Listeners} listeners of the cluster
   * @param {() => boolean} mayCloseUnused there is a worker that has asked for what it wants
   */
  constructor(listeners, mayCloseUnused) {
    this.#listeners = listeners;
    this.#mayCloseUnused = mayCloseUnused;
  }

  /**
   * Answers a LISTEN of a worker's, once the primary listens or could not: with the listeners of
   * the cluster, if it has any of its own.
   */
  answer(worker, request, reply) {
    const own = this.#listeners.ownAddresses;
    const name = own.find((address) => address !== null);
    this.#data ??= request.data;
    if (name !== undefined) reply({ err: 0, listener: EVERY_LISTENER, name, data: this.#data });
    else if (own.length > 0) this.#unanswered.push(() => this.answer(worker, request, reply));
    else this.#answerAlone(worker, request, reply);
  }

  answerThoseThatWait() {
    for (const answer of this.#unanswered.splice(0)) answer();
  }

  #answerAlone(worker, { target }, reply) {
    const key = JSON.stringify(target);
    const entry = this.#entries.get(key) ?? { handle: null, result: null, users: new Set(), waiting: [] };
    if (this.#entries.get(key) === undefined || isUnlinked(entry)) this.#start(key, entry, target);
    entry.users.add(worker);
    entry.waiting.push(reply);
    this.#settle(entry);
  }

  #start(key, entry, target) {
    this.#entries.set(key, entry);
    entry.handle?.close();
    const index = entry.result?.listener; // Workers know it by that.
    entry.result = null;
    entry.handle = this.#listen(target, index, (error, listener) => {
      if (error) this.#entries.delete(key); // The next one who asks tries again.
      const err = error ? (error.errno ?? UV_EINVAL) : 0;
      entry.result = { err, listener: listener?.index, name: listener?.address, data: this.#data };
      this.#settle(entry);
    });
  }

  // What a worker sends may be anything, and what it wants may not be allowed.
  #listen(target, index, done) {
    try {
      return this.#listeners.listen(normalizeListen([argumentOf(target)]), { isProgram: true, index, done });
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
  release(worker, index) {
    for (const [key, entry] of this.#entries) {
      if (entry.result?.listener === index && entry.users.delete(worker) && entry.users.size === 0) this.#close(key);
    }
  }

  #close(key) {
    const { handle } = this.#entries.get(key);
    this.#entries.delete(key);
    handle.close();
  }

  /** The worker has ended. What it listened to stays open for the next one, which may have no use for it. */
  forget(worker) {
    for (const [key, { users }] of this.#entries) {
      if (users.delete(worker) && users.size === 0) this.#closeLater(key);
    }
  }

  #closeLater(key) {
    const entry = this.#entries.get(key);
    const look = () => {
      if (this.#entries.get(key) !== entry || entry.users.size > 0) return;
      if (this.#mayCloseUnused()) this.#close(key);
      else this.#closeLater(key);
    };
    setTimeout(look, LEFT_OPEN).unref();
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
