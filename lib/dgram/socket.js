'use strict';

// A Unix socket that keeps message borders, datagram or seqpacket, on a MessageSocket. What
// node:dgram has too is like there.

const EventEmitter = require('node:events');

const {
  Listener,
  MessageSocket,
  allowDescriptors,
  closeFd,
  closeInBackground,
  duplicateFd,
} = require('../base/binding.js');
const { kHandOver, received } = require('../fd/descriptor.js');
const { callSafely } = require('../base/callback.js');
const { UV_E2BIG, UV_EOF } = require('../base/constants.js');
const { connectException, errnoException, invalidFdType, plain, receiveException } = require('../base/errors.js');
const { whenAborted } = require('../base/abort.js');
const { kLend, lendHandle } = require('../fd/lend.js');
const { sendableList } = require('../fd/sendable.js');
const { forgetFile, removeAtExit } = require('../base/socket_files.js');
const { validateFunction } = require('../base/validate.js');
const { normalizeName, normalizeSend, normalizeSocketOptions } = require('./options.js');

const BACKLOG = 511; // As in net.Server.
const TYPES = { datagram: 2, seqpacket: 5 }; // SOCK_DGRAM, SOCK_SEQPACKET

const STREAM_TYPES = new Set(['unix', 'unix-server']); // They keep no message borders.

/**
 * Events: 'message' (data, { path, pid, uid, gid, size, descriptors }), 'listening',
 * 'connect', 'connection' (on a bound seqpacket socket: a client, as another UnixSocket),
 * 'overload' (on a bound seqpacket socket: no descriptor is left to accept clients, which
 * wait), 'end' (seqpacket: the peer has ended), 'error', 'close'.
 */
class UnixSocket extends EventEmitter {
  #handle;
  #listener = null;
  #options;
  #path;
  #isClosed = false;
  #sends = []; // A function for each queued message, called with its status.

  /** `accepted`: the open handle of a seqpacket client. */
  constructor(options, accepted = null) {
    super();
    this.#options = normalizeSocketOptions(options);
    const { socket, signal } = this.#options;
    this.#handle = accepted ?? (socket === null ? this.#create() : this.#adopt());
    this.#attach();
    if (accepted !== null || socket !== null) this.#begin();
    if (signal !== null) whenAborted(signal, this, () => this.close());
  }

  #create() {
    const { type, credentials } = this.#options;
    const handle = new MessageSocket();
    const err = handle.create(TYPES[type], credentials);
    if (err !== 0) throw errnoException(err, 'socket');
    return handle;
  }

  #adopt() {
    const { socket, given } = this.#options;
    const handle = new MessageSocket();
    const isStream = STREAM_TYPES.has(socket.type);
    let err = 0;
    if (!isStream) {
      socket[kHandOver]((fd) => {
        err = handle.open(fd);
        return err === 0;
      });
      if (err === 0) return handle;
    }
    const error = isStream ? invalidFdType(socket.type) : errnoException(err, 'open');
    // Gives a number back to the caller. If the Descriptor has a copy, closes the copy.
    if (given === socket.fd) socket.take();
    else if (typeof given === 'number') socket.close();
    throw error;
  }

  #attach() {
    const handle = this.#handle;
    if (this.#options.descriptors) {
      handle.setMaxDescriptors(this.#options.maxDescriptors);
    } else {
      allowDescriptors(handle.fd, false);
    }
    // If a listener throws, the other messages of this read must still be delivered.
    handle.onmessages = (messages) => messages.forEach((message) => callSafely(() => this.#deliver(message)));
    handle.onread = (status) => this.#onReadEnd(status);
    handle.onsent = (count, status) => this.#onSent(count, status);
  }

  #begin() {
    this.#handle.readStart();
  }

  #ready() {
    if (this.#isClosed) throw plain('ERR_SOCKET_CLOSED');
    return this.#handle;
  }

  /**
   * Binds the socket to a path or an abstract name ('\0name'). A seqpacket socket listens
   * there. Emits 'listening' or 'error'.
   *
   * @param {string | { path: string }} target
   * @param {() => void} [callback] for 'listening'
   */
  bind(target, callback) {
    const handle = this.#ready();
    const path = normalizeName(target);
    if (callback !== undefined) this.once('listening', callback);
    const err = handle.bind(path);
    if (err !== 0) {
      this.#fail(connectException(err, path, undefined, undefined, 'bind'));
      return this;
    }
    this.#path = path;
    if (path[0] !== '\0') removeAtExit(handle);
    if (this.#options.type === 'seqpacket') {
      this.#listen();
    } else {
      this.#begin();
    }
    process.nextTick(() => {
      if (!this.#isClosed) this.emit('listening');
    });
    return this;
  }

  // The Listener polls a copy. The handle still owns the name and its file.
  #listen() {
    const copy = duplicateFd(this.#handle.fd);
    this.#listener = new Listener();
    this.#listener.onconnection = (status, fd) => this.#onConnection(status, fd);
    const err = copy < 0 ? copy : this.#listener.listenOnFd(copy, BACKLOG);
    if (err !== 0) this.#fail(errnoException(err, 'listen'));
    if (err !== 0 && copy >= 0) closeFd(copy);
  }

  #onConnection(status, fd) {
    if (status !== 0) {
      this.emit(fd === 1 ? 'overload' : 'error', errnoException(status, 'accept'));
      return;
    }
    const handle = new MessageSocket();
    const err = handle.open(fd);
    if (err !== 0) {
      this.#listener.reject(fd);
      this.emit('error', errnoException(err, 'accept'));
      return;
    }
    const { type, credentials, descriptors, maxDescriptors } = this.#options;
    this.emit('connection', new UnixSocket({ type, credentials, descriptors, maxDescriptors }, handle));
  }

  /**
   * Connects to a name: messages go there by default, and come only from there.
   *
   * @param {string | { path: string }} target
   * @param {() => void} [callback] for 'connect'
   */
  connect(target, callback) {
    const handle = this.#ready();
    const path = normalizeName(target);
    if (callback !== undefined) this.once('connect', callback);
    handle.onconnect = (status) => {
      if (status !== 0) {
        this.#fail(connectException(status, path));
      } else {
        this.#begin();
        this.emit('connect');
      }
    };
    handle.connect(path);
    return this;
  }

  /**
   * Sends one message, whole or not at all: one that is too large fails with EMSGSIZE.
   *
   * @param {string | Uint8Array | Array<string | Uint8Array>} message
   * @param {string | { path?: string, descriptors?: any[], keep?: boolean }} [options] a
   *   path, or: path of the receiver, if the socket is not connected; descriptors, as for
   *   DescriptorPasser's send(); keep: do not close the descriptors
   * @param {(error: Error | null) => void} [callback]
   * @returns {Promise<void> | undefined} a promise if there is no callback
   */
  send(message, options, callback) {
    if (typeof options === 'function') return this.send(message, undefined, options);
    if (callback === undefined) {
      return new Promise((resolve, reject) => {
        this.send(message, options, (error) => (error ? reject(error) : resolve()));
      });
    }
    validateFunction(callback, 'callback');
    const handle = this.#ready();
    const { bytes, path, descriptors, keep } = normalizeSend(message, options);
    const { fds, settle } = sendableList(descriptors, keep);
    const done = (status) => {
      settle(status === 0);
      callback(status === 0 ? null : sendError(status, path));
    };
    const result = handle.send(bytes, fds.length === 0 ? undefined : fds, path);
    if (result === 1) {
      this.#sends.push(done);
    } else {
      process.nextTick(done, result);
    }
    return undefined;
  }

  #onSent(count, status) {
    for (const done of this.#sends.splice(0, count)) done(status);
  }

  #deliver({ data, descriptors, sender, pid, uid, gid }) {
    const isWanted = this.#options.descriptors && this.listenerCount('message') > 0 && !this.#isClosed;
    if (!isWanted) descriptors.forEach(closeInBackground);
    if (this.#isClosed) return;
    const info = { path: sender, size: data.length };
    if (this.#options.credentials && pid !== undefined) Object.assign(info, { pid, uid, gid });
    if (this.#options.descriptors) info.descriptors = isWanted ? received(descriptors) : [];
    this.emit('message', data, info);
  }

  #onReadEnd(status) {
    if (status === UV_EOF) {
      this.emit('end');
      this.close();
      return;
    }
    // A datagram socket survives its peer: keep reading.
    if (this.#options.type === 'datagram' && status !== UV_E2BIG) this.#handle.readStart();
    this.emit('error', receiveException(status));
  }

  // Emits in the next tick, after the caller could add a listener.
  #fail(error) {
    process.nextTick(() => this.emit('error', error));
  }

  /** @param {() => void} [callback] for 'close' */
  close(callback) {
    if (callback !== undefined) this.once('close', callback);
    if (this.#isClosed) return this;
    this.#isClosed = true;
    forgetFile(this.#handle);
    this.#listener?.close();
    this.#handle.close(() => this.emit('close'));
    return this;
  }

  /** The name to which the socket is bound, or null. */
  address() {
    return this.#path ?? null;
  }

  get fd() {
    return this.#isClosed ? -1 : this.#handle.fd;
  }

  /** Lends its descriptor, so that the socket can be sent, too. */
  [kLend]({ keep }) {
    return lendHandle(this.#isClosed ? null : this.#handle, {
      keep,
      hasData: this.#sends.length > 0,
      stopReading: () => this.#handle.readStop(),
      close: () => this.close(),
    });
  }

  ref() {
    this.#ready().ref();
    this.#listener?.ref();
    return this;
  }

  unref() {
    this.#ready().unref();
    this.#listener?.unref();
    return this;
  }

  async [Symbol.asyncDispose]() {
    if (!this.#isClosed) await new Promise((resolve) => this.close(() => resolve(undefined)));
  }
}

const sendError = (status, path) =>
  path === undefined ? errnoException(status, 'send') : connectException(status, path, undefined, undefined, 'send');

module.exports = { UnixSocket };
