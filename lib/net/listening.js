'use strict';

// server.listen(): from what was asked for to a Listener that listens on it.

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

// One listen(). Most end within the call; a name's look-up and the wait for a stale
// socket's lock leave it pending. It tells `begun(listener, key)` or
// `failed(error)`, unless it was cancelled.
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

  /** Goes on with `step` later: `arm(resume)` has it called. */
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

/** `target` is as normalizeListenArgs() gives it. @returns {Attempt} */
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
    // Node says EINVAL of all that it cannot listen on.
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

// Another process may be about to replace the same stale socket: its lock is waited for.
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

// IPv6, which takes IPv4 clients too; IPv4 where there is none.
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
  // Where both fail the port is taken: that is told of the one that was wanted first.
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
