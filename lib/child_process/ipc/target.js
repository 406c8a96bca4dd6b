'use strict';

// The channel of a child that has 'ipc' in its stdio: gives the ChildProcess its methods
// send() and disconnect(), its properties `channel` and `connected`, and its events. At
// the other end is Node's own process.send(), of any version: the wire is Node's.
//
//   MessageSocket -> Inbox (bytes and descriptors) -> onMessage() -> HeldMessages -> the child's events
//   send() -> Outbox (order, acknowledgements) -> MessageSocket

const { errnoException, invalidArgType, ipcMessageReserved, missingArgs, plain } = require('../../base/errors.js');
const { MessageSocket } = require('../../base/binding.js');
const { validateObject } = require('../../base/validate.js');
const { closeAll } = require('../../fd/descriptor.js');
const { afterLastRead } = require('../close_on_exit.js');
const advanced = require('./advanced.js');
const { Connections } = require('./connections.js');
const { lendHandle, receiveHandle } = require('./handles.js');
const { HeldMessages, emitMessage } = require('./held.js');
const { Inbox } = require('./inbox.js');
const json = require('./json.js');
const { Outbox } = require('./outbox.js');
const { ChannelReference } = require('./reference.js');

const CODECS = { advanced, json };
const HIGH_WATER_MARK = 128 * 1024; // Bytes queued from which on send() returns false.
const INTERNAL_PREFIX = 'NODE_';
const RESERVED = new Set(['NODE_HANDLE', 'NODE_HANDLE_ACK', 'NODE_HANDLE_NACK']);
const MESSAGE_TYPES = ['string', 'object', 'number', 'boolean'];

const kUnordered = Symbol('unordered'); // Option of send(): what comes behind need not wait for this handle.

/**
 * @typedef {object} ChannelOptions
 * @property {'json' | 'advanced'} serialization
 * @property {number} handleTimeout milliseconds for a handle to be acknowledged; 0 for ever
 * @property {number} maxMessageBytes of a message that the child sends
 */

class Target {
  #child;
  #native;
  #codec;
  #connections = new Connections((message) => this.#post(message));
  #inbox;
  #outbox;
  #onEnd;
  #held;
  #owed = []; // Answers to handles that are held. The sender sends no more until it has them.
  #hasExited = false;
  #isEnding = false; // disconnect() was called.
  #hasEnded = false;

  /**
   * @param {any} child
   * @param {any} native an open MessageSocket
   * @param {ChannelOptions} options
   * @param {() => void} onEnd called once, after 'disconnect'
   */
  constructor(child, native, { serialization, handleTimeout, maxMessageBytes }, onEnd) {
    this.#child = child;
    this.#native = native;
    this.#codec = CODECS[serialization];
    this.#onEnd = onEnd;
    this.#outbox = new Outbox(native, handleTimeout, {
      onError: this.#reportLater,
      onLost: warnOfLoss,
      onDrained: () => this.#disconnectIfDrained(),
    });
    this.#inbox = new Inbox(native, this.#codec.Decoder, maxMessageBytes, {
      // Each message gets a tick of its own, so that a program that awaits one can await the next.
      onMessage: (message, descriptors) => process.nextTick(this.#onMessage, message, descriptors),
      onGarbage: (error) => process.nextTick(() => child.emit('messageerror', error)),
      onEnd: (error) => this.#onReadEnd(error),
    });
    child.connected = true;
    child.channel = new ChannelReference(native);
    child.send = (message, handle, options, callback) => this.#send(message, handle, options, callback);
    child.disconnect = () => this.#disconnect();
    this.#held = new HeldMessages(child, () => {
      for (const cmd of this.#owed.splice(0)) this.#acknowledge(cmd);
    });
  }

  /** To be called after removeAllListeners() of the child: ours have to be there. */
  watchListeners() {
    this.#held.watchListeners();
  }

  // Receiving.

  #onMessage = (message, descriptors) => {
    try {
      if (!isInternal(message)) this.#deliver(message, descriptors, false);
      else if (message.cmd === 'NODE_HANDLE') this.#onHandle(message, descriptors);
      else if (this.#onProtocol(message)) closeAll(descriptors);
      else this.#emitInternal(message, descriptors);
    } finally {
      if (this.#isEnding) this.#disconnectIfDrained(); // It may have waited for the rest of this message.
    }
  };

  // Reports whether the message is one between the two ends of the channel.
  #onProtocol(message) {
    if (message.cmd === 'NODE_HANDLE_ACK') this.#outbox.onAcknowledged();
    else if (message.cmd === 'NODE_HANDLE_NACK') this.#outbox.onRefused();
    else return this.#connections.onMessage(message);
    return true;
  }

  #onHandle(wrapped, descriptors) {
    const [descriptor, ...others] = descriptors;
    // Node wraps a message once more each time that it sends it again.
    let message = wrapped;
    while (isInternal(message.msg) && message.msg.cmd === 'NODE_HANDLE') message = message.msg;
    // A sender that does not wait for an answer, as Node does, has to send it again.
    if (descriptor === undefined || this.#owed.length > 0) {
      this.#answer('NODE_HANDLE_NACK');
      closeAll(descriptors);
      return;
    }
    const isLater = this.#held.isFull && this.#held.mustHold && !isInternal(message.msg);
    this.#answer('NODE_HANDLE_ACK', isLater);
    const handle = receiveHandle(descriptor, message);
    if (message.type === 'net.Socket' && message.key && handle !== descriptor) {
      this.#connections.receive(handle, message.key);
    }
    const handles = [handle, ...others];
    if (isInternal(message.msg)) this.#emitInternal(message.msg, handles);
    else this.#deliver(message.msg, handles, true);
  }

  #deliver(message, handles, isHandle) {
    if (this.#held.mustHold) this.#held.hold(message, handles, isHandle);
    else emitMessage(this.#child, 'message', message, handles);
  }

  // These are not held: without a listener nothing would ever close the handles.
  #emitInternal(message, handles) {
    if (emitMessage(this.#child, 'internalMessage', message, handles)) return;
    for (const handle of handles) {
      if (typeof handle.destroy === 'function') handle.destroy();
      else handle.close();
    }
  }

  // The answers to handles are in the order of these.
  #answer(cmd, isLater = false) {
    if (isLater || this.#owed.length > 0) this.#owed.push(cmd);
    else this.#acknowledge(cmd);
  }

  // Sending.

  /**
   * The method send() of a child.
   *
   * @param {any} message
   * @param {any} [handle] see handles.js
   * @param {{ keepOpen?: boolean, swallowErrors?: boolean }} [options] keepOpen: a socket goes
   *   on here too
   * @param {(error: Error | null) => void} [callback] called once: the message is written, or
   *   the handle delivered
   * @returns {boolean} false if too much waits to be written
   * @throws ERR_MISSING_ARGS, ERR_INVALID_ARG_TYPE, ERR_INVALID_ARG_VALUE,
   *   ERR_IPC_MESSAGE_RESERVED, ERR_INVALID_HANDLE_TYPE, ERR_IPC_HANDLE_NOT_SENDABLE,
   *   ERR_DESCRIPTOR_CLOSED, and what the serialization throws
   */
  #send(message, handle, options, callback) {
    if (typeof handle === 'function') return this.#send(message, undefined, undefined, handle);
    if (typeof options === 'function') return this.#send(message, handle, undefined, options);
    if (options !== undefined) validateObject(options, 'options');
    const done = typeof callback === 'function' ? callback : null;
    // node:cluster's own messages have a protocol of their own for what becomes of them.
    const isQuiet = done === null && (Boolean(options?.swallowErrors) || isInternal(message));
    if (!this.#child.connected) return this.#refuse(plain('ERR_IPC_CHANNEL_CLOSED'), done, isQuiet);
    validateMessage(message);
    let lent = null;
    try {
      if (handle) lent = lendHandle(handle, Boolean(options?.keepOpen), this.#connections);
    } catch (error) {
      // It depends on the moment, so it is no fault of the caller's.
      if (error.errno === undefined && error.code !== 'ERR_DESCRIPTOR_UNREAD_DATA') throw error;
      return this.#refuse(error, done, isQuiet);
    }
    let data;
    try {
      data = this.#codec.encode(lent === null ? message : wrap(message, lent));
    } catch (error) {
      lent?.settle(false, false);
      throw error;
    }
    const waiting = this.#outbox.push(data, lent, done, Boolean(options?.[kUnordered]), isQuiet);
    return waiting > 0 ? waiting === 1 : this.#native.writeQueueSize < HIGH_WATER_MARK;
  }

  #refuse(error, callback, isQuiet) {
    if (callback !== null) process.nextTick(callback, error);
    else if (!isQuiet) this.#reportLater(error);
    return false;
  }

  // A message of our own, in the order of all. Returns false if nothing will come of it.
  #post(message) {
    if (!this.#child.connected) return false;
    this.#outbox.push(this.#codec.encode(message), null, null, false, true);
    return true;
  }

  #acknowledge(cmd) {
    if (!this.#hasEnded) this.#outbox.pushFirst(this.#codec.encode({ cmd }));
  }

  #reportLater = (error) => {
    process.nextTick(() => this.#child.emit('error', error));
  };

  // Ending.

  /** The method disconnect() of a child: closes once all was sent and acknowledged. */
  #disconnect() {
    if (!this.#child.connected) {
      this.#child.emit('error', plain('ERR_IPC_DISCONNECTED'));
      return;
    }
    this.#child.connected = false;
    this.#isEnding = true;
    if (this.#hasExited) this.#endAfterLastRead();
    else this.#disconnectIfDrained();
  }

  #disconnectIfDrained() {
    if (!this.#isEnding || this.#hasEnded || !this.#outbox.isDrained) return;
    this.#child.channel = null;
    if (!this.#inbox.isWithin) this.#end();
  }

  #onReadEnd(error) {
    if (error !== null) process.nextTick(() => this.#child.emit('messageerror', error));
    this.#end();
  }

  /**
   * The child has ended: nothing more will be acknowledged. Other processes may have its end of
   * the channel, and keep ours open.
   */
  onExit(endsChannel) {
    if (this.#hasEnded) return;
    this.#hasExited = true;
    this.#outbox.end();
    process.nextTick(() => this.#connections.end());
    if (endsChannel || this.#isEnding) this.#endAfterLastRead();
  }

  #endAfterLastRead() {
    const hasEnded = () => this.#hasEnded;
    afterLastRead(this.#native, hasEnded, () => this.#end());
  }

  #end() {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    this.#owed = [];
    this.#child.connected = false;
    this.#child.channel = null;
    this.#inbox.stop();
    this.#native.close();
    this.#outbox.end();
    process.nextTick(() => {
      this.#connections.end();
      this.#child.emit('disconnect');
      this.#onEnd();
    });
  }
}

function isInternal(message) {
  return (
    typeof message === 'object' &&
    message !== null &&
    typeof message.cmd === 'string' &&
    message.cmd.length > INTERNAL_PREFIX.length &&
    message.cmd.startsWith(INTERNAL_PREFIX)
  );
}

function validateMessage(message) {
  if (message === undefined) throw missingArgs(['message']);
  if (!MESSAGE_TYPES.includes(typeof message)) throw invalidArgType('message', MESSAGE_TYPES, message);
  if (RESERVED.has(message?.cmd)) throw ipcMessageReserved(message.cmd);
}

let hasWarned = false;

// Once: a warning for each could be many.
function warnOfLoss() {
  if (hasWarned) return;
  hasWarned = true;
  process.emitWarning(
    'A child ended before it acknowledged a handle, which was closed here. The callback of send() reports that',
    { code: 'PIPEWRIGHT_HANDLE_LOST' },
  );
}

const wrap = (msg, { type, fields }) => ({ cmd: 'NODE_HANDLE', type, msg, ...fields });

/**
 * Opens the channel of a child.
 *
 * @param {any} child
 * @param {number} fd our end, which is the channel's from now on
 * @param {ChannelOptions} options
 * @param {() => void} onEnd called once, after 'disconnect'
 * @returns {Target}
 * @throws the system's error, and then the descriptor is the caller's
 */
function openChannel(child, fd, options, onEnd) {
  const native = new MessageSocket();
  const err = native.open(fd);
  if (err !== 0) throw errnoException(err, 'open');
  // 'exit' comes behind the messages that there are.
  if (child._handle?.pid() > 0) native.joinGroup(child._handle);
  return new Target(child, native, options, onEnd);
}

module.exports = { kUnordered, openChannel };
