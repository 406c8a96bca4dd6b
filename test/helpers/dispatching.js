'use strict';

// A dispatcher of the binding with a listener, and workers that are in this process, for tests
// that look at what goes over the sockets.

const { EventEmitter, once } = require('node:events');
const fs = require('node:fs');
const net = require('node:net');
const {
  ConnectionDispatcher,
  ConnectionSender,
  Listener,
  MessageSocket,
  socketPair,
  untrackFd,
} = require('../../lib/base/binding');
const { closing } = require('./closing');
const { socketPath } = require('./socket_path');

const SEQPACKET = 5;
const PAGE = ['accepted', 'closed', 'heartbeat', 'loopDelay']; // As in src/cluster/worker_page.h.
const DEFAULTS = Object.freeze({
  schedule: 'round-robin',
  stickyBy: 'uid',
  maxUnacknowledged: 100,
  keepTime: 1000,
  firstBytesTimeout: 1000,
  peekBytes: 0,
});

/** Closes a handle, and waits until it is closed. */
function closingHandle(handle) {
  closing(
    () =>
      new Promise((resolve) => {
        if (handle.close(resolve) !== 0) resolve(undefined);
      }),
  );
  return handle;
}

/** A worker's end: it keeps what it gets in `got`, [{ fd, id, listener }], and answers what it is told to. */
class FakeWorker extends EventEmitter {
  got = [];
  messages = 0;
  #handle = closingHandle(new MessageSocket());
  #closed = 0;

  constructor(dispatcher, slot = 0) {
    super();
    this.slot = slot;
    const [ours, theirs] = socketPair(SEQPACKET);
    this.sender = closingHandle(new ConnectionSender());
    expect(this.sender.open(ours)).toBe(0);
    this.page = closing(this.sender.createPage());
    untrackFd(this.page);
    expect(this.#handle.open(theirs)).toBe(0);
    this.#handle.onmessages = (messages) => messages.forEach((message) => this.#onMessage(message));
    this.#handle.readStart();
    closing(() => this.closeAll());
    this.dispatcher = dispatcher;
    expect(dispatcher.addWorker(this.sender, slot)).toBe(0);
  }

  #onMessage({ data, descriptors }) {
    this.messages += 1;
    descriptors.forEach((fd, index) => {
      this.got.push({ fd, id: data.readUInt32LE(index * 8), listener: data.readUInt32LE(index * 8 + 4) });
    });
    this.emit('got');
  }

  /** Resolves once it has got `count` connections in all. */
  async has(count) {
    while (this.got.length < count) await once(this, 'got');
    return this.got;
  }

  /** @returns {string} what a connection has received, read now */
  read({ fd }) {
    const room = Buffer.alloc(100);
    return room.toString('latin1', 0, fs.readSync(fd, room));
  }

  answer({ read = [], taken = [], refused = [], closed = [], isFull = false }) {
    const lists = [read, taken, refused, closed];
    const ids = lists.flat().map(({ id }) => id);
    const numbers = [...lists.map(({ length }) => length), Number(isFull), ...ids];
    this.#handle.send(new Uint8Array(Uint32Array.from(numbers).buffer));
    this.#closed += closed.length;
    this.writePage({ closed: this.#closed });
  }

  /** From now on what is sent to it stays unread. */
  stopReading() {
    this.#handle.readStop();
  }

  /** Writes into its page, in which each number has 8 bytes. */
  writePage(numbers) {
    for (const [name, value] of Object.entries(numbers)) {
      const bytes = new Uint8Array(BigUint64Array.of(BigInt(value)).buffer);
      fs.writeSync(this.page, bytes, 0, bytes.length, PAGE.indexOf(name) * bytes.length);
    }
  }

  get counters() {
    return this.sender.getCounters();
  }

  closeAll() {
    for (const { fd } of this.got.splice(0)) fs.closeSync(fd);
  }

  /** What the primary does when the worker has died. @returns {number} how many are moved */
  die() {
    this.closeAll();
    this.#handle.close();
    const moved = this.dispatcher.removeWorker(this.sender);
    this.sender.close();
    return moved;
  }
}

/**
 * @param {object} [options] of the dispatcher
 * @returns {any} it
 */
function newDispatcher(options = {}) {
  const dispatcher = closingHandle(new ConnectionDispatcher());
  expect(dispatcher.open({ ...DEFAULTS, ...options })).toBe(0);
  return dispatcher;
}

/** A listener whose connections the dispatcher gets. @returns {string} its path */
function listenOnPath(dispatcher, number = 0) {
  const path = socketPath();
  const listener = closingHandle(new Listener());
  expect(listener.listenOnPath({ path })).toBe(0);
  expect(dispatcher.addListener(listener, number)).toBe(0);
  return path;
}

/** The same over TCP. @returns {number} its port */
function listenOnPort(dispatcher, number = 0) {
  const listener = closingHandle(new Listener());
  expect(listener.listenOnAddress({ address: '127.0.0.1', port: 0 })).toBe(0);
  expect(dispatcher.addListener(listener, number)).toBe(0);
  return listener.getsockname().port;
}

/** A connected client that has sent `text`. `ended` resolves when the server's side has ended. */
async function client(target, text = '') {
  const socket = closing(net.connect(target));
  socket.ended = new Promise((resolve) => socket.once('end', resolve).once('close', resolve)); // Or is reset.
  socket.on('data', () => {});
  socket.on('error', () => {});
  await once(socket, 'connect');
  if (text !== '') await new Promise((resolve) => socket.write(text, resolve));
  return socket;
}

module.exports = { DEFAULTS, FakeWorker, client, closingHandle, listenOnPath, listenOnPort, newDispatcher };
