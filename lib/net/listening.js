'use strict';

// server.listen(): makes a Listener that listens on a path, a port or a descriptor.

const dns = require('node:dns');

const { Listener, allowDescriptors } = require('../base/binding.js');
const { UV_EBUSY, UV_EEXIST, UV_EINVAL } = require('../base/constants.js');
const { listenException, listenLocked } = require('../base/errors.js');
const { removeAtExit } = require('../base/socket_files.js');
const { adoptNumber } = require('../fd/own_number.js');
const { holderOf, lockOf } = require('./stale_lock.js');

const TCP = 'TCPSERVERWRAP'; // What node:async_hooks calls a TCP server.

const LOCK_RETRY = 10; // Milliseconds between two attempts at a stale socket's lock,
const LOCK_PATIENCE = 2000; // and in all.

// One call of listen(). Most end within the call; while a name is looked up, or the lock of
// a stale socket is awaited, the attempt is pending. It calls `outcome.begun(listener, key)`
// or `outcome.failed(error)`, unless it was cancelled.
class Attempt {
  isPending = false;
  #isCancelled = false;
  #outcome;

  constructor(outcome) {
    this.#outcome = outcome;
  }

  cancel() {
    this.isPending = false;
    this.#isCancelled = true;
  }

  /** Waits, then calls `step`: `arm(resume)` must arrange that `resume` is called. */
  wait(arm, step) {
    this.isPending = true;
    arm((...args) => {
      if (this.#isCancelled) return;
      this.isPending = false;
      step(...args);
    });
  }

  finish(listener, err, { family, address, port }) {
    if (err === 0) {
      this.#outcome.begun(listener, `${family}:${address}:${port}`);
    } else {
      this.fail(listenException(err, address, port));
    }
  }

  fail(error) {
    this.#outcome.failed(error);
  }
}

/** Starts to listen on a target from normalizeListenArgs(). @returns {Attempt} */
function startListening(target, outcome) {
  const attempt = new Attempt(outcome);
  STARTERS[target.kind](attempt, target);
  return attempt;
}

const STARTERS = {
  handle(attempt, { handle }) {
    attempt.finish(handle, 0, { family: -1, address: null, port: -1 });
  },
  fd(attempt, { fd, backlog, descriptors }) {
    const listener = new Listener();
    if (descriptors) allowDescriptors(fd, true);
    const err = adoptNumber(fd, (own) => listener.listenOnFd(own, backlog));
    // Node reports EINVAL for every descriptor on which it cannot listen.
    attempt.finish(listener, err === 0 || err === UV_EEXIST ? err : UV_EINVAL, {
      family: null,
      address: null,
      port: null,
    });
  },
  path(attempt, target) {
    listenOnPath(attempt, target, Date.now() + LOCK_PATIENCE);
  },
  port(attempt, target) {
    if (target.host === undefined) {
      listenOnAnyAddress(attempt, target);
    } else {
      listenOnHost(attempt, target);
    }
  },
};

// Another process may hold the lock because it is replacing the same stale socket. So
// EBUSY is retried until the deadline.
function listenOnPath(attempt, target, deadline) {
  const listener = new Listener();
  const err = listener.listenOnPath(target);
  if (err === UV_EBUSY && Date.now() < deadline) {
    attempt.wait(
      (resume) => setTimeout(resume, LOCK_RETRY),
      () => listenOnPath(attempt, target, deadline),
    );
    return;
  }
  if (err === 0 && target.path[0] !== '\0') removeAtExit(listener);
  if (err === UV_EBUSY) {
    const lock = lockOf(target.path);
    attempt.fail(listenLocked(target.path, lock, holderOf(lock)));
    return;
  }
  attempt.finish(listener, err, { family: -1, address: target.path, port: -1 });
}

// Listens on IPv6, which also accepts IPv4 clients, or on IPv4 if the system has no IPv6.
function listenOnAnyAddress(attempt, target) {
  const ipv6 = { family: 6, address: '::', port: target.port };
  const ipv4 = { family: 4, address: '0.0.0.0', port: target.port };
  let listener = new Listener(TCP);
  const err = listener.listenOnAddress({ ...target, ...ipv6 });
  if (err === 0) {
    attempt.finish(listener, 0, ipv6);
    return;
  }
  listener = new Listener(TCP);
  const isIpv4 = listener.listenOnAddress({ ...target, ...ipv4 }) === 0;
  // If both fail, the port is in use: reports the failure for IPv6, which was tried first.
  attempt.finish(listener, isIpv4 ? 0 : err, isIpv4 ? ipv4 : ipv6);
}

function listenOnHost(attempt, target) {
  attempt.wait(
    (resume) => dns.lookup(target.host, resume),
    (lookupErr, address, family) => {
      if (lookupErr) {
        attempt.fail(lookupErr);
        return;
      }
      const listener = new Listener(TCP);
      const err = listener.listenOnAddress({ ...target, address });
      attempt.finish(listener, err, { family, address, port: target.port });
    },
  );
}

module.exports = { startListening };
