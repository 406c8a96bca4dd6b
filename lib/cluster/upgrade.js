'use strict';

// cluster.upgrade(): another process, which runs the same program, takes the place of this one.
// The other end is inherited.js.
//
//   old primary                          new primary
//   starts it, LISTENERS --------------> listen() finds them by their addresses
//   serves                               starts workers
//            <-------------------------- READY: each cluster has a worker and a listener
//   accepts no more, TAKE_CHARGE ------> accepts; replies which listeners it has
//   OWN_FILES -------------------------> removes the sockets' files when it closes
//   closes: its workers drain
//   CONNECTIONS that are left over ----> serves them
//   ends
//
// If the new one ends, or is late, before it has replied, it is killed, and this one goes on.

const { isMainThread } = require('node:worker_threads');

const { activationVariables } = require('../base/activation.js');
const { mainThreadOnly, plain, upgradeEnded } = require('../base/errors.js');
const { MAX_FRAME_DESCRIPTORS } = require('../channel/framing.js');
const { Channel } = require('../channel/index.js');
const { channelValue } = require('../child_process/parent.js');
const { spawn } = require('../child_process/spawn.js');
const { socketpair } = require('../descriptors/socketpair.js');
const { Descriptor, closeAll } = require('../fd/descriptor.js');
const { notify } = require('../systemd.js');
const { IS_IDLE } = require('./marks.js');
const { CONNECTIONS, LISTENERS, OWN_FILES, READY, TAKE_CHARGE, VARIABLE, inheritance } = require('./inherited.js');

const PATIENCE = 10_000; // Milliseconds for the reply to TAKE_CHARGE: its loop turned just before.

/**
 * A cluster, as an upgrade sees it.
 *
 * @typedef {object} Member
 * @property {boolean} isReady whether it has a listener and a ready worker
 * @property {import('./listeners.js').Listeners} listeners
 * @property {() => void} pause it accepts nothing until resume()
 * @property {() => void} resume
 * @property {() => number[]} takePending as of ConnectionDispatcher
 * @property {() => Promise<void>} close its workers' idle connections do not end: they wait for a worker
 * @property {(error: Error) => void} report
 */

/** @type {Set<Member>} the open clusters of this process, which are replaced together */
const members = new Set();
/** @type {Upgrade | null} */
let current = null;

class Upgrade {
  #child = null;
  #channel = null;
  #offers = []; // { member, number, key, fd, file }; and `isTaken` once it is known.
  #sent = []; // Promises of messages with connections.
  #fail;
  #failure;
  #isDone = false; // The new primary is in charge.
  /** @type {Promise<{ pid: number }>} of upgrade() */
  result;

  constructor(timeout) {
    this.#failure = new Promise((_, reject) => (this.#fail = reject));
    this.#failure.catch(() => {});
    this.result = this.#run(timeout);
  }

  async #run(timeout) {
    try {
      const whenReady = this.#start();
      const timer = timeout > 0 && setTimeout(() => this.cancel(plain('ERR_CLUSTER_UPGRADE_TIMEOUT')), timeout);
      await Promise.race([whenReady, this.#failure]).finally(() => clearTimeout(timer));
      await this.#handOver();
    } catch (error) {
      await this.#rollBack();
      throw error;
    }
    this.#drain();
    return { pid: this.#child.pid };
  }

  // Starting it.

  #start() {
    const [ours, theirs] = socketpair();
    try {
      this.#channel = new Channel(ours);
      this.#child = this.#spawn(theirs.fd);
    } finally {
      theirs.close();
      if (this.#channel === null) ours.close();
    }
    this.#child.unref();
    this.#child.on('error', (error) => this.cancel(error));
    this.#child.once('exit', (code, signal) => this.cancel(upgradeEnded(code, signal)));
    this.#offerListeners();
    return new Promise((resolve) => this.#channel.on('message', ({ type }) => type === READY && resolve(undefined)));
  }

  // What systemd has passed to this process it passes on in the same way.
  #spawn(channelFd) {
    const passed = [...members].flatMap(({ listeners }) => listeners.passed).sort((a, b) => a.fd - b.fd);
    const stdio = [0, 1, 2, ...passed.map(({ fd }) => fd), channelFd];
    const env = { ...process.env, [VARIABLE]: channelValue(stdio.length - 1, channelFd, 'json') };
    if (passed.length > 0) Object.assign(env, activationVariables(passed.map(({ name }) => name)));
    const args = [...process.execArgv, ...process.argv.slice(1)];
    return spawn(process.execPath, args, { detached: true, env, stdio });
  }

  #offerListeners() {
    for (const member of members) {
      for (const offer of member.listeners.offer) this.#offers.push({ ...offer, member, isTaken: false });
    }
    for (let at = 0; at === 0 || at < this.#offers.length; at += MAX_FRAME_DESCRIPTORS) {
      const some = this.#offers.slice(at, at + MAX_FRAME_DESCRIPTORS);
      const listeners = some.map(({ key, file }) => ({ key, file }));
      const isLast = at + MAX_FRAME_DESCRIPTORS >= this.#offers.length;
      const descriptors = some.map(({ fd }) => fd);
      this.#channel.send({ type: LISTENERS, listeners, isLast }, descriptors);
    }
  }

  // Handing over.

  async #handOver() {
    for (const member of members) member.pause();
    const reply = this.#channel.request({ type: TAKE_CHARGE }, { timeout: PATIENCE });
    const { message: taken } = await Promise.race([reply, this.#failure]);
    this.#isDone = true;
    this.#offers.forEach((offer, i) => (offer.isTaken = taken[i]));
    for (const member of members) {
      const isLeft = (offer) => offer.member === member && offer.isTaken;
      member.listeners.leave(new Set(this.#offers.filter(isLeft).map(({ number }) => number)));
      member.resume(); // What waits in the backlogs of the others is served here.
    }
    this.#send({ type: OWN_FILES }, []);
  }

  async #rollBack() {
    const child = this.#child;
    if (child?.pid !== undefined) {
      const hasEnded = () => child.exitCode !== null || child.signalCode !== null;
      const end = hasEnded() ? null : new Promise((resolve) => child.once('exit', resolve));
      child.ref();
      child.kill('SIGKILL', { tree: true }); // Its workers too: some may never have looked at their channel.
      await end;
    }
    this.#channel?.destroy(); // If it ended before, the new primary would take charge.
    for (const member of members) member.resume();
  }

  /** Gives up, unless the new primary is in charge. */
  cancel(error) {
    if (!this.#isDone) this.#fail(error);
  }

  // Ending.

  async #drain() {
    const all = [...members];
    // Only the main process of a service may name another one, so it is this one that does, and
    // before it ends.
    await notify({ MAINPID: this.#child.pid }).catch((error) => all[0]?.report(error));
    for (const member of all) this.passOn(member);
    await Promise.all(all.map((member) => member.close()));
    await this.#channel.close();
    current = null;
  }

  /**
   * Sends connections that wait for a worker to the new primary.
   *
   * @param {Member} member
   * @returns {Promise<any>} resolves when all have been sent
   */
  passOn(member) {
    if (!this.#isDone) return Promise.resolve();
    const pending = member.takePending();
    const connections = [];
    const descriptors = [];
    for (let i = 0; i < pending.length; i += 2) {
      const descriptor = new Descriptor(pending[i]);
      const number = pending[i + 1] & ~IS_IDLE;
      const index = this.#offers.findIndex((offer) => offer.member === member && offer.number === number);
      if (index < 0 || !this.#offers[index].isTaken) {
        descriptor.close(); // There is no listener that it belongs to.
        continue;
      }
      connections.push([index, number !== pending[i + 1]]);
      descriptors.push(descriptor);
    }
    for (let at = 0; at < connections.length; at += MAX_FRAME_DESCRIPTORS) {
      const message = { type: CONNECTIONS, connections: connections.slice(at, at + MAX_FRAME_DESCRIPTORS) };
      this.#send(message, descriptors.slice(at, at + MAX_FRAME_DESCRIPTORS));
    }
    return Promise.all(this.#sent);
  }

  // If the new primary has gone, there is none who could serve them.
  #send(message, descriptors) {
    const sent = this.#channel.sent(message, descriptors).catch(() => closeAll(descriptors));
    this.#sent.push(sent);
    sent.finally(() => this.#sent.splice(this.#sent.indexOf(sent), 1));
  }
}

/** @param {Member} member */
function enroll(member) {
  members.add(member);
  inheritance.register(member);
}

/** To be called when a cluster begins to close. @param {Member} member */
function withdraw(member) {
  members.delete(member);
  inheritance.unregister(member);
  current?.cancel(plain('ERR_CLUSTER_CLOSED'));
}

/** Passes the connections on that wait for a worker, if there is a new primary. @param {Member} member */
function passOn(member) {
  return current === null ? Promise.resolve() : current.passOn(member);
}

/**
 * Replaces this process: see cluster.upgrade().
 *
 * @param {number} timeout milliseconds
 * @returns {Promise<{ pid: number }>}
 */
function upgrade(timeout) {
  if (!isMainThread) return Promise.reject(mainThreadOnly('cluster.upgrade()'));
  if (!inheritance.isInCharge) return Promise.reject(plain('ERR_CLUSTER_NOT_IN_CHARGE'));
  if (current === null) {
    current = new Upgrade(timeout);
    current.result.catch(() => (current = null));
  }
  return current.result;
}

module.exports = { enroll, passOn, upgrade, withdraw };
