'use strict';

// One thread's part of a batch: its objects, the operations it does upon them, and
// whether what they throw is what a user may see.

const fs = require('node:fs');
const path = require('node:path');
const { threadId } = require('node:worker_threads');
const { randomIntegers } = require('../helpers/random');
const { Values } = require('./values');

const PER_KIND = 10;
const LOG = Number(process.env.PIPEWRIGHT_FUZZ_LOG ?? 2);

// What a listener of the fuzz throws on purpose.
const kThrown = Symbol('thrown');

class Run {
  #pool = new Map();
  #closers = new Map();
  #problems = [];
  #isOver = false;

  constructor(seed, folder) {
    this.random = randomIntegers(seed);
    this.values = new Values(this.random);
    this.folder = folder;
  }

  /** Written at once: a line that comes after the process has died is of no use. */
  log(text) {
    fs.writeSync(LOG, `${threadId}: ${text}\n`);
  }

  /** Something that must not be, and fails the batch. */
  problem(text) {
    this.#problems.push(text);
    this.log(`PROBLEM: ${text.replaceAll('\n', ' |')}`);
    this.onProblem?.(text);
  }

  get problems() {
    return this.#problems;
  }

  /** How objects of a kind are closed. */
  kind(name, close) {
    this.#closers.set(name, close);
    this.#pool.set(name, []);
  }

  /** Keeps `object`; when there are too many of its kind, another one has to go. */
  add(name, object) {
    const list = this.#pool.get(name);
    if (this.#isOver) this.#close(name, object);
    else if (list.length >= PER_KIND) this.#close(name, list.splice(this.random(list.length), 1)[0]);
    list.push(object);
    return object;
  }

  /** One of that kind, open or closed; undefined where there is none. */
  pick(name) {
    return this.values.one(this.#pool.get(name));
  }

  all(name) {
    return this.#pool.get(name);
  }

  /** No longer ours to close. */
  drop(name, object) {
    const list = this.#pool.get(name);
    const index = list.indexOf(object);
    if (index >= 0) list.splice(index, 1);
  }

  /** A place for a socket file: few of them, so that they meet. */
  name() {
    const number = this.random(6);
    return this.values.one([
      path.join(this.folder, `s${number}`),
      path.join(this.folder, `${'long'.repeat(40)}${number}`),
      `\0fuzz-${process.pid}-${number}`,
    ]);
  }

  /** For every emitter: an 'error' is one that a user may see. */
  watch(name, emitter) {
    emitter.on?.('error', (error) => this.checkError(`${name} 'error'`, error));
    return emitter;
  }

  /** For a promise of which only the outcome counts. */
  settle(name, promise, then) {
    Promise.resolve(promise)
      .then(then)
      .catch((error) => this.checkError(name, error));
  }

  /** Throws on purpose, as a user's listener may. */
  throwSometimes(one) {
    if (this.values.chance(one)) throw Object.assign(new Error('thrown on purpose'), { [kThrown]: true });
  }

  isOnPurpose(error) {
    return error?.[kThrown] === true;
  }

  checkError(name, error) {
    if (this.isOnPurpose(error) || typeof error?.code === 'string') return;
    // Of child_process: a child that ended with another status than 0.
    if (typeof error?.code === 'number' || error?.killed !== undefined) return;
    // JavaScript's own, of a Symbol, a BigInt or an object without a prototype; as with Node.
    if (/^Cannot (convert|mix) /.test(error?.message)) return;
    this.problem(`${name}: ${error?.stack ?? String(error)}`);
  }

  /** Does one of the operations. */
  step(operations) {
    const [name, operation] = this.values.one(operations);
    this.log(name);
    try {
      operation(this);
    } catch (error) {
      this.checkError(name, error);
    }
  }

  /** Closes whatever is left, and what is still to come. */
  closeAll() {
    this.#isOver = true;
    for (const [name, list] of this.#pool) for (const object of list.splice(0)) this.#close(name, object);
  }

  #close(name, object) {
    this.log(`closing a ${name}`);
    try {
      this.#closers.get(name)(object);
    } catch (error) {
      this.checkError(`closing a ${name}`, error);
    }
  }
}

module.exports = { Run };
