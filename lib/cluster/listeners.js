'use strict';

// The listeners of a cluster. One is made in three ways: it is taken over from the primary that
// this process replaces, or from systemd's store, or it is bound to its address.

const path = require('node:path');

const { whenAborted } = require('../base/abort.js');
const { nameOf } = require('../base/activation.js');
const { Listener, shutDownReading } = require('../base/binding.js');
const { UV_EMFILE } = require('../base/constants.js');
const { errnoException } = require('../base/errors.js');
const { forgetFile, removeAtExit } = require('../base/socket_files.js');
const { kHandOver } = require('../fd/descriptor.js');
const { startListening } = require('../net/listening.js');
const { inheritance } = require('./inherited.js');
const { IS_IDLE, IS_TAKEN_AT_ONCE, IS_TCP, NUMBER, SPEAKS_FIRST } = require('./marks.js');
const { keepInStore, removeFromStore, takeFromStore } = require('./store.js');

// Under this a new primary finds the listener of the old one: by the address that was asked
// for. null: it cannot. What systemd has passed the new one finds as the old one did.
function keyOf({ kind, path: name, host, port, fd }) {
  if (kind === 'path') return `path ${name[0] === '\0' ? name : path.resolve(name)}`;
  if (kind === 'port') return `port ${host ?? '*'} ${port}`;
  return kind === 'fd' && nameOf(fd) === undefined ? `fd ${fd}` : null;
}

class Listeners {
  #dispatcher;
  #emitter;
  #onClosed;
  #all = new Set(); // { target, key, listener, attempt, address, index, number, isProgram, done }
  #nextIndex = 0;

  /**
   * @param {any} dispatcher
   * @param {import('node:events').EventEmitter} emitter emits 'listening' (address), 'error' and
   *   'overload' (error)
   * @param {(number: number) => void} onClosed called with the number of each that is closed
   */
  constructor(dispatcher, emitter, onClosed) {
    this.#onClosed = onClosed;
    this.#dispatcher = dispatcher;
    this.#emitter = emitter;
  }

  /**
   * @param {any} target of normalizeListen()
   * @param {object} [options]
   * @param {boolean} [options.isProgram] an unchanged program wants it: it hears of a failure
   * @param {number} [options.index] of a listener in whose place this one comes
   * @param {(error: any, listener?: { index: number, address: any }) => void} [options.done] called once
   * @returns {{ close: () => void }} to be closed once no worker uses it
   */
  listen(target, { isProgram = false, index = this.#freeIndex(), done = () => {} } = {}) {
    const state = { listener: null, attempt: null, address: null, number: 0 };
    const entry = { target, key: keyOf(target), ...state, isProgram, index, done };
    this.#all.add(entry);
    if (target.signal !== undefined) whenAborted(target.signal, this.#emitter, () => this.#abort(entry));
    const search = inheritance.find(entry.key, (descriptor) => {
      entry.attempt = null;
      return this.#start(entry, descriptor);
    });
    if (search !== null) entry.attempt = search;
    return { close: () => this.#close(entry, { isUnused: true }) };
  }

  // One that was closed a while ago: its connections may be under way.
  #freeIndex() {
    const used = new Set([...this.#all].map(({ index }) => index));
    if (used.size > NUMBER) throw errnoException(UV_EMFILE, 'listen');
    while (used.has(this.#nextIndex)) this.#nextIndex = (this.#nextIndex + 1) & NUMBER;
    const index = this.#nextIndex;
    this.#nextIndex = (index + 1) & NUMBER;
    return index;
  }

  #start(entry, descriptor) {
    const { target } = entry;
    if (descriptor !== null) return this.#open(entry, descriptor) ? this.#heir(entry) : null;
    try {
      const stored = target.store === undefined ? null : takeFromStore(target, (error) => this.#report(error));
      if (stored !== null) this.#open(entry, stored);
      else this.#bind(entry);
    } catch (error) {
      this.#failed(entry, error);
    }
    return null;
  }

  #bind(entry) {
    const { target } = entry;
    entry.attempt = startListening(target, {
      begun: (listener) => {
        this.#begin(entry, listener);
        if (target.store !== undefined) keepInStore(listener, target.store).catch((error) => this.#report(error));
      },
      failed: (error) => this.#failed(entry, error),
    });
  }

  // Begins with a descriptor that listens already.
  #open(entry, descriptor) {
    const listener = new Listener();
    let err = 0;
    descriptor[kHandOver]((fd) => (err = listener.listenOnFd(fd, entry.target.backlog)) === 0);
    if (err === 0) {
      this.#begin(entry, listener);
    } else {
      descriptor.close();
      this.#failed(entry, errnoException(err, 'listen'));
    }
    return err === 0;
  }

  #begin(entry, listener) {
    const { ack, callback, path: name } = entry.target;
    const address = listener.getsockname();
    const isTcp = typeof address === 'object';
    // Over TCP the kernel tells what a worker has written, too.
    const isTakenAtOnce = ack === 'accept' && !isTcp;
    const speaksFirst = ack === 'accept' ? SPEAKS_FIRST : 0;
    const marks = (isTcp ? IS_TCP : 0) | (isTakenAtOnce ? IS_TAKEN_AT_ONCE : 0) | speaksFirst;
    entry.listener = listener;
    entry.address = name ?? address;
    entry.number = entry.index | marks;
    listener.onconnection = (status, isOverload) => {
      this.#emitter.emit(isOverload === 1 ? 'overload' : 'error', errnoException(status, 'accept'));
    };
    const err = this.#dispatcher.addListener(listener, entry.number);
    process.nextTick(() => {
      if (err === 0 && callback) this.#emitter.once('listening', callback); // The event that follows is this listener's.
      if (err === 0) this.#emitter.emit('listening', entry.address);
      else this.#emitter.emit('error', errnoException(err, 'listen'));
      inheritance.check();
    });
    entry.done(err === 0 ? null : errnoException(err, 'listen'), entry);
  }

  #failed(entry, error) {
    this.#all.delete(entry);
    if (!entry.isProgram) this.#report(error);
    entry.done(error);
  }

  #report(error) {
    process.nextTick(() => this.#emitter.emit('error', error));
  }

  get #begun() {
    return [...this.#all].filter(({ listener }) => listener !== null);
  }

  /** Those that no program has asked for: their addresses, null while one does not listen yet. */
  get ownAddresses() {
    return [...this.#all].filter(({ isProgram }) => !isProgram).map(({ address }) => address);
  }

  get addresses() {
    return this.#begun.map(({ address }) => address);
  }

  /** @returns {any} the address of the listener with that number; undefined if it is closed */
  addressOf(number) {
    return this.#begun.find((entry) => (entry.number & NUMBER) === (number & NUMBER))?.address;
  }

  /** Whether the cluster has listeners, and each of them listens. */
  get isComplete() {
    return this.#all.size > 0 && this.#begun.length === this.#all.size;
  }

  // What comes from the primary that this one replaces for a listener that was its own.
  #heir(entry) {
    return {
      adopt: (connection, isIdle) => {
        const marks = entry.number | (isIdle ? IS_IDLE : 0);
        connection[kHandOver]((fd) => this.#dispatcher.adopt(fd, marks) === 0);
        connection.close(); // If it was not taken.
      },
      ownFile: (file) => {
        if (entry.listener.ownFile(file) === 0) removeAtExit(entry.listener);
      },
    };
  }

  /** What another primary can take over: [{ key, fd, file, number }]. */
  get offer() {
    return this.#begun
      .filter(({ key }) => key !== null)
      .map(({ key, listener, number }) => ({ key, fd: listener.fd, file: listener.getFile(), number }));
  }

  /** The descriptors that systemd has passed: [{ fd, name }]. */
  get passed() {
    return this.#begun
      .filter(({ target }) => target.kind === 'fd')
      .map(({ listener: { fd } }) => ({ fd, name: nameOf(fd) }))
      .filter(({ name }) => name !== undefined);
  }

  /** Leaves these to another primary, with their files. @param {Set<number>} numbers */
  leave(numbers) {
    for (const entry of this.#begun) {
      if (!numbers.has(entry.number)) continue;
      entry.listener.keepFile();
      this.#close(entry);
    }
  }

  // Closing.

  #abort(entry) {
    const isOpen = entry.listener !== null && this.#all.has(entry);
    this.#close(entry);
    if (!isOpen || entry.target.store === undefined) return;
    removeFromStore(entry.target.store).catch((error) => this.#report(error));
  }

  #close(entry, { isUnused = false } = {}) {
    if (!this.#all.delete(entry)) return;
    entry.attempt?.cancel();
    const { listener } = entry;
    if (listener === null) return;
    // What systemd has passed is open there, too, and the next process gets what waits in it.
    if (entry.target.kind !== 'fd') {
      listener.removeFile();
      this.#dispatcher.acceptRest(listener);
    }
    // A child that is being started has a copy until its exec. Its port would be in use for so long,
    // though the program may listen there again at once.
    if (isUnused && entry.target.kind === 'port') shutDownReading(listener.fd);
    listener.close();
    forgetFile(listener);
    this.#onClosed(entry.number);
  }

  closeAll() {
    for (const entry of [...this.#all]) this.#close(entry);
  }
}

module.exports = { Listeners };
