'use strict';

// Descriptor: an open file descriptor with one owner. What can be sent in its place is in
// sendable.js.
//
// Sockets deliver Descriptors, and Descriptors become sockets: one of the two imports has
// to go up. It is here, in conversions(), and waits for the first conversion, when both
// files are complete. So the class has all its methods in one place, and has them
// whichever part of the package was loaded. test/architecture.test.js lists this import as
// the only exception to "imports go down".

const { constants } = require('node:fs');

const binding = require('../base/binding.js');
const { UV_ENOENT } = require('../base/constants.js');
const { errnoException, invalidArgType, plain } = require('../base/errors.js');
const { prepareOpenNumber } = require('./own_number.js');
const { kLend } = require('./lend.js');

const kHandOver = Symbol('hand over');
const kStranger = Symbol('stranger'); // Second argument of the constructor: it came over a socket.

// The numbers that a Descriptor owns are kept in another object, so that they can be closed
// when the Descriptor is gone: a group { fds, next }. A number is -1 once it was closed or
// taken. Descriptors that came together share one group, which is collected with the last
// of them: to watch each one by itself would cost more than all the rest.
const CLOSED = Object.freeze({ fds: [-1], next: 1 });

// lib/net/index.js and lib/dgram/index.js load the file before: require() needs a free
// descriptor, and the table may be full when the first conversion comes.
const conversions = () => require('../net/conversions.js');

let hasWarned = false;

const forgotten = new FinalizationRegistry((fds) => {
  const left = fds.filter((fd) => fd >= 0);
  for (const fd of left) binding.closeInBackground(fd);
  if (hasWarned || left.length === 0) return;
  hasWarned = true;
  process.emitWarning('A Descriptor was forgotten without close(), and closed by the garbage collector', {
    type: 'ForgottenDescriptorWarning',
    code: 'PIPEWRIGHT_FORGOTTEN_DESCRIPTOR',
  });
});

function newGroup(fds) {
  const group = { fds, next: 0 };
  forgotten.register(group, fds);
  return group;
}

function checked(fd) {
  const takeover = prepareOpenNumber(fd);
  takeover.commit();
  return takeover.fd;
}

// Numbers from a socket or another thread that were closed in this tick. A file system may
// take seconds to close such a file, so that is done in the background.
let closed = [];

const MANY = 16;

function closeStranger(fd) {
  if (closed.length === 0) process.nextTick(closeStrangers);
  closed.push(fd);
}

function closeStrangers() {
  const fds = closed;
  closed = [];
  if (fds.length < MANY) {
    for (const fd of fds) binding.closeInBackground(fd);
  } else {
    binding.closeInBackground(Int32Array.from(fds));
  }
}

/**
 * An open file descriptor, closed by close(), by `using`, or at last by the garbage
 * collector, with a warning.
 */
class Descriptor {
  #group;
  #index;
  #isStranger;
  #type;
  #senders = 0;
  #closesLater = false;

  /**
   * Takes ownership of an open descriptor. In a worker thread it gets another number.
   *
   * @param {number} fd
   * @throws ERR_INVALID_ARG_TYPE, ERR_OUT_OF_RANGE, EBADF, EMFILE (in a worker thread)
   */
  constructor(fd, origin, group) {
    this.#isStranger = origin === kStranger;
    this.#group = group ?? newGroup([this.#isStranger ? fd : checked(fd)]);
    this.#index = this.#group.next++;
  }

  /**
   * Accepts a token of transfer() (claims it), a number (takes ownership) or a Descriptor
   * (returned as it is).
   *
   * @throws ERR_INVALID_ARG_TYPE, ERR_DESCRIPTOR_UNKNOWN (claimed before, or the thread
   *   that made the token has ended)
   */
  static from(value) {
    if (typeof value === 'number') return new Descriptor(value);
    if (Descriptor.isDescriptor(value)) return value;
    const fd = binding.claimDescriptor(value?.pipewrightDescriptor);
    if (fd === UV_ENOENT) throw plain('ERR_DESCRIPTOR_UNKNOWN');
    if (fd < 0) throw invalidArgType('value', ['number', 'Descriptor', 'Token'], value);
    return new Descriptor(fd, kStranger);
  }

  static isDescriptor(value) {
    return typeof value === 'object' && value !== null && #group in value;
  }

  /** The number; -1 once it was closed or taken. */
  get fd() {
    return this.#group.fds[this.#index];
  }

  get isOpen() {
    return this.fd >= 0;
  }

  /**
   * Its kind: 'tcp', 'tcp-server', 'udp', 'unix', 'unix-server', 'unix-datagram',
   * 'unix-seqpacket', 'file', 'directory', 'pipe', 'fifo', 'tty', 'character-device',
   * 'block-device', 'memfd', 'eventfd', 'pidfd', … Looked up when it is first asked for.
   *
   * @throws ERR_DESCRIPTOR_CLOSED
   */
  get type() {
    if (this.#type === undefined) {
      const type = binding.descriptorType(this.#openFd());
      if (typeof type === 'number') throw errnoException(type, 'fstat');
      this.#type = type;
    }
    return this.#type;
  }

  /**
   * The flag O_NONBLOCK. It belongs to the open file description, so every process that
   * shares it sees a change.
   *
   * @throws ERR_DESCRIPTOR_CLOSED
   */
  get isNonBlocking() {
    return (binding.getFlags(this.#openFd()) & constants.O_NONBLOCK) !== 0;
  }

  set isNonBlocking(value) {
    const err = binding.setBlocking(this.#openFd(), !value);
    if (err !== 0) throw errnoException(err, 'fcntl');
  }

  /** Closes it now or, if it is being sent, after that. Closing it twice is no error. */
  close() {
    const { fd } = this;
    if (fd < 0) return;
    this.#closesLater = this.#senders > 0;
    if (this.#closesLater) return;
    this.#letGo();
    if (this.#isStranger) {
      closeStranger(fd);
      return;
    }
    const err = binding.closeFd(fd);
    if (err !== 0) throw errnoException(err, 'close');
  }

  /**
   * Returns the number, which the caller must close from then on.
   *
   * @throws ERR_DESCRIPTOR_CLOSED, ERR_DESCRIPTOR_BUSY (it is being sent)
   */
  take() {
    const fd = this.#giveUp();
    binding.untrackFd(fd);
    return fd;
  }

  /** Returns another Descriptor of the same open file. @throws ERR_DESCRIPTOR_CLOSED, EMFILE */
  duplicate() {
    const copy = binding.duplicateFd(this.#openFd());
    if (copy < 0) throw errnoException(copy, 'fcntl');
    return new Descriptor(copy, this.#isStranger ? kStranger : undefined);
  }

  // Conversions. The returned object owns the number from then on; if a conversion fails,
  // the Descriptor still owns it. All throw ERR_DESCRIPTOR_CLOSED and ERR_DESCRIPTOR_BUSY.

  /** pipewright's Socket over a Unix or TCP connection, a pipe, a FIFO or a terminal. */
  toSocket(options) {
    return conversions().toSocket(this, options);
  }

  /** pipewright's Server, which listens already and still emits 'listening'. */
  toServer(options, listener) {
    return conversions().toServer(this, options, listener);
  }

  /** node:net's Socket. */
  toNodeSocket(options) {
    return conversions().toNodeSocket(this, options);
  }

  /** node:net's Server. Other servers of Node take `listen({ fd: descriptor.take() })`. */
  toNodeServer(options, listener) {
    return conversions().toNodeServer(this, options, listener);
  }

  /** node:fs's ReadStream. With `autoClose: false` the number is the caller's to close. */
  toReadStream(options) {
    return conversions().toReadStream(this, options);
  }

  /** node:fs's WriteStream. With `autoClose: false` the number is the caller's to close. */
  toWriteStream(options) {
    return conversions().toWriteStream(this, options);
  }

  /**
   * Gives the descriptor away for a token, which postMessage() can carry to another
   * thread; from() claims it there. If the token is unclaimed when this thread ends, the
   * descriptor is closed.
   *
   * @returns {Readonly<{ pipewrightDescriptor: number }>}
   */
  transfer() {
    return Object.freeze({ pipewrightDescriptor: binding.leaveDescriptor(this.#giveUp()) });
  }

  /**
   * Calls `open` with the number. Meanwhile the Descriptor is closed for everything else;
   * if `open` returns false or throws, the number is the Descriptor's again.
   *
   * @param {(fd: number) => boolean} open
   * @throws ERR_DESCRIPTOR_CLOSED, ERR_DESCRIPTOR_BUSY (it is being sent), what `open` throws
   */
  [kHandOver](open) {
    const group = this.#group;
    const index = this.#index;
    const fd = this.#giveUp();
    let isTaken = false;
    try {
      isTaken = open(fd);
    } finally {
      if (!isTaken) {
        group.fds[index] = fd;
        this.#group = group;
        this.#index = index;
      }
    }
  }

  // The thread still owns the number, and closes it if it is terminated at this moment.
  #giveUp() {
    const fd = this.#openFd();
    if (this.#senders > 0) throw plain('ERR_DESCRIPTOR_BUSY');
    this.#letGo();
    return fd;
  }

  #openFd() {
    if (!this.isOpen) throw plain('ERR_DESCRIPTOR_CLOSED');
    return this.fd;
  }

  #letGo() {
    this.#group.fds[this.#index] = -1;
    this.#group = CLOSED;
    this.#index = 0;
  }

  // The descriptor stays open until the kernel has taken it, because its number must not
  // come to belong to another file.
  [kLend]({ keep }) {
    const fd = this.#openFd();
    this.#senders += 1;
    return {
      fd,
      settle: (sent) => {
        this.#senders -= 1;
        if (this.#closesLater || (sent && !keep)) this.close();
      },
    };
  }

  [Symbol.dispose]() {
    this.close();
  }
}

/** Makes Descriptors of numbers that came over a socket. They own the array `fds` from then on. */
function received(fds) {
  const group = newGroup(fds);
  return fds.map((fd) => new Descriptor(fd, kStranger, group));
}

/** @param {Iterable<Descriptor>} descriptors */
function closeAll(descriptors) {
  for (const descriptor of descriptors) descriptor.close();
}

module.exports = { Descriptor, closeAll, kHandOver, received };
