'use strict';

// What a primary gets from the one that it replaces: the listeners, at once, and connections
// for as long as the old one has workers. The other end is upgrade.js.
//
//   waiting --all listeners have come--> known --each cluster has a ready worker--> offered
//   offered --TAKE_CHARGE--> in charge
//   any, if the old primary has gone --> in charge
//
// Before it is in charge it accepts nothing, so the old primary can still go on as if nothing
// had been.

const { Channel } = require('../channel/index.js');
const { findChannel } = require('../child_process/parent.js');

/** In the environment of a new primary: its end of the channel. */
const VARIABLE = 'PIPEWRIGHT_UPGRADE';

/** The types of messages. To the new primary: */
const LISTENERS = 'listeners'; // { listeners: [{ key, file }], isLast }, and their descriptors.
const TAKE_CHARGE = 'take charge'; // A request. The reply: which of the listeners it has taken.
const OWN_FILES = 'own files'; // The old primary leaves the sockets' files to it.
const CONNECTIONS = 'connections'; // { connections: [[index of the listener, whether it is idle]] }, and their descriptors.
/** To the old one: */
const READY = 'ready';

/** A process that replaces no other is in charge from the start. */
class Inheritance {
  #channel = null;
  #clusters = new Set();
  #records = []; // { key, file, descriptor, taker }: `taker` is null until a listener is made of it.
  #searches = new Set(); // They wait until the listeners are known.
  #isKnown = true;
  #isOffered = true;
  #isInCharge = true;
  #ownsFiles = true;

  /** @param {{ fd: number, serialization: any } | null} found the channel to the old primary */
  constructor(found) {
    if (found === null) return;
    this.#isKnown = this.#isOffered = this.#isInCharge = this.#ownsFiles = false;
    this.#channel = new Channel(found.fd, { serialization: found.serialization }).unref();
    this.#channel.on('message', (received, descriptors) => this.#onMessage(received, descriptors));
    this.#channel.onRequest(() => this.#takeCharge());
    this.#channel.once('close', () => this.#onGone());
  }

  #onMessage({ type, listeners, isLast, connections }, descriptors) {
    if (type === LISTENERS) {
      listeners.forEach((each, i) => this.#records.push({ ...each, descriptor: descriptors[i], taker: null }));
      if (isLast) this.#onKnown();
    } else if (type === CONNECTIONS) {
      connections.forEach(([index, isIdle], i) => this.#adopt(this.#records[index], descriptors[i], isIdle));
    } else if (type === OWN_FILES) {
      this.#ownFiles();
    }
  }

  // Finding listeners.

  /**
   * Looks for a listener of the old primary. `found` is called with its descriptor, or with
   * null if there is none: at once, unless the listeners have yet to come. It returns who gets
   * what belongs to the listener, or null.
   *
   * @param {string | null} key
   * @param {(descriptor: any) => { adopt(connection: any, isIdle: boolean): void, ownFile(file: string): void } | null} found
   * @returns {{ cancel(): void } | null} the search, while it waits
   */
  find(key, found) {
    if (this.#isKnown) {
      this.#answer(key, found);
      return null;
    }
    const search = { key, found, cancel: () => this.#searches.delete(search) };
    this.#searches.add(search);
    return search;
  }

  #answer(key, found) {
    const record = this.#records.find((each) => each.descriptor !== null && each.key === key);
    if (record === undefined) {
      found(null);
      return;
    }
    const { descriptor } = record;
    record.descriptor = null;
    record.taker = found(descriptor);
  }

  #onKnown() {
    this.#isKnown = true;
    for (const search of this.#searches) {
      this.#searches.delete(search);
      this.#answer(search.key, search.found);
    }
    this.check();
  }

  // Taking charge.

  /** @param {any} cluster of this process: see upgrade.js */
  register(cluster) {
    this.#clusters.add(cluster);
    if (!this.#isInCharge) cluster.pause();
  }

  unregister(cluster) {
    this.#clusters.delete(cluster);
    this.check();
  }

  /** To be called when a cluster may have become ready. */
  check() {
    if (this.#isOffered || !this.#isKnown || this.#clusters.size === 0) return;
    if (![...this.#clusters].every(({ isReady }) => isReady)) return;
    this.#isOffered = true;
    this.#channel.send({ type: READY });
  }

  /** Whether another primary may replace this one. */
  get isInCharge() {
    return this.#isInCharge;
  }

  // Listeners that were not taken by now are closed here, and by the old primary too.
  #takeCharge() {
    this.#isInCharge = this.#isOffered = true;
    for (const record of this.#records) {
      record.descriptor?.close();
      record.descriptor = null;
    }
    for (const cluster of this.#clusters) cluster.resume();
    return this.#records.map(({ taker }) => taker !== null);
  }

  #ownFiles() {
    if (this.#ownsFiles) return;
    this.#ownsFiles = true;
    for (const { taker, file } of this.#records) if (file !== '') taker?.ownFile(file);
  }

  #adopt(record, descriptor, isIdle) {
    if (record?.taker) record.taker.adopt(descriptor, isIdle);
    else descriptor.close();
  }

  // The old primary has no more workers, or was killed. In the latter case this process has
  // what it had.
  #onGone() {
    if (!this.#isKnown) this.#onKnown();
    if (!this.#isInCharge) this.#takeCharge();
    this.#ownFiles();
  }
}

const inheritance = new Inheritance(findChannel(VARIABLE));

module.exports = { CONNECTIONS, LISTENERS, OWN_FILES, READY, TAKE_CHARGE, VARIABLE, inheritance };
