'use strict';

// One child process, with the interface of node:child_process's ChildProcess.

const { ChildProcess: NodeChildProcess } = require('node:child_process');
const { EventEmitter } = require('node:events');
const diagnostics = require('node:diagnostics_channel');
const { errno: ERRNO, signals } = require('node:os').constants;
const { setImmediate } = require('node:timers');

const { PipeWrap, ProcessWrap } = require('../base/binding.js');
const { errnoException, spawnException } = require('../base/errors.js');
const { acceptInstancesOf } = require('../base/instances.js');
const { kLend, lendKept } = require('../fd/lend.js');
const { Socket } = require('../net/socket.js');
const { signalName, signalNumber } = require('../base/signal_names.js');
const { validateArray, validateObject, validateOneOf, validateString } = require('../base/validate.js');
const { CHANNELS, OWN_CHANNEL, openChannels, withChannel, withOwnChannel } = require('./channels.js');
const { endWithExit } = require('./close_on_exit.js');
const { Escalation } = require('./deadline.js');
const { toNative, validateArguments } = require('./options.js');
const { validateMaySpawn } = require('./permission.js');
const { closeFds, isLent, lend, normalizeStdio, openStdio } = require('./stdio.js');
const { killTree } = require('./kill_tree.js');

const { SIGKILL, SIGTERM } = signals;

// Node reports these with an 'error' event, and throws any other errno.
const EMITTED = new Set([ERRNO.EACCES, ERRNO.EAGAIN, ERRNO.EMFILE, ERRNO.ENFILE, ERRNO.ENOENT]);
const THROWN = new Set(['EINVAL', 'ENOSYS']); // kill() throws these; for others it emits 'error'.
const TABLE_FULL = new Set([ERRNO.EMFILE, ERRNO.ENFILE]);

const madeChannel = diagnostics.channel('child_process');
const spawnChannel = diagnostics.tracingChannel('child_process.spawn');

class ChildProcess extends EventEmitter {
  #ipc = null; // The channel of a child with 'ipc' in its stdio.
  // How many ends 'close' still waits for: the child's, and that of each of its streams.
  #awaited = 1;
  #closeOn = 'stdio';
  /** @type {Escalation | null} */
  #escalation = null; // Made by spawn(): before, there is nothing to kill.

  /** @type {any} */
  stdin = undefined;
  /** @type {any} */
  stdout = undefined;
  /** @type {any} */
  stderr = undefined;
  /** @type {any[] | undefined} */
  stdio = undefined;
  /** @type {any} a Channel, with the option `pipewrightChannel` */
  pipewrightChannel = null;

  constructor() {
    super();
    this.connected = false;
    this.signalCode = null;
    this.exitCode = null;
    this.killed = false;
    this.spawnfile = null;
    this.resourceUsage = null;
    this._handle = new ProcessWrap();
    this._handle.onexit = (exitCode, signal) => this.#exited(exitCode, signal);
    if (madeChannel.hasSubscribers) madeChannel.publish({ process: this });
  }

  /**
   * Starts the child; spawn() calls this method. It takes the options of Node's method of
   * this name ({ file, args with argv[0], envPairs, cwd, stdio, detached, uid, gid }), and
   * those that spawn() adds.
   *
   * @returns {number} 0, or the negative errno that 'error' will report
   */
  spawn(options) {
    validateObject(options, 'options');
    const entries = normalizeStdio(options.stdio ?? 'pipe', false);
    validateOneOf(options.serialization, 'options.serialization', [undefined, 'json', 'advanced']);
    const ipcFd = entries.findIndex(({ kind }) => kind === 'ipc');
    if (ipcFd >= 0 && options.envPairs !== undefined) validateArray(options.envPairs, 'options.envPairs');
    validateString(options.file, 'options.file');
    if (options.args !== undefined) validateArguments(options.args, 'options.args');
    validateMaySpawn();

    this.spawnfile = options.file;
    this.spawnargs = options.args ?? [];
    this.#closeOn = options.closeOn ?? 'stdio';
    this.#escalation = new Escalation(this, options.killSignal ?? SIGTERM, options.forceKillAfter ?? 0);
    return this.#start(ipcFd < 0 ? options : withChannel(options, ipcFd), entries);
  }

  #start(options, entries) {
    if (spawnChannel.start.hasSubscribers) spawnChannel.start.publish({ process: this, options });
    if (options.pipewrightChannel) entries.push(OWN_CHANNEL);
    const opened = openStdio(entries);
    const native = toNative(opened.error === 0 ? withOwnChannel(options, entries, opened) : options);
    const err = opened.error || this._handle.spawn(native, opened.childFds);
    closeFds(opened.lentFds);
    if (err === 0) process.nextTick(emitSpawn, this);
    else if (!this.#failed(err, opened)) return err;
    this.pid = err === 0 ? this._handle.pid() : undefined;
    try {
      this.#adopt(entries, opened.parentFds, options);
    } catch (error) {
      // If no child was made, 'error' reports that.
      if (err === 0) this.#abandon(error);
    }
    if (err === 0 && spawnChannel.end.hasSubscribers) spawnChannel.end.publish({ process: this });
    return err;
  }

  // The child was made, but its streams were not. Kills it, and throws as if it had never
  // been started.
  #abandon(error) {
    if (spawnChannel.error.hasSubscribers) spawnChannel.error.publish({ process: this, error });
    const handle = this._handle;
    handle.onexit = () => handle.close();
    // A child that we may not kill still sees the end of its stdio. The event loop does not
    // wait for it.
    if (handle.kill(SIGKILL) !== 0) handle.unref();
    this._handle = null;
    this.pid = undefined;
    throw error;
  }

  // Returns true if `stdio` gets its streams although there is no child, as in Node.
  #failed(err, { parentFds }) {
    const step = this._handle.failedStep();
    const isTableFull = TABLE_FULL.has(-err);
    if (spawnChannel.error.hasSubscribers) {
      spawnChannel.error.publish({ process: this, error: spawnException(err, 'spawn', { step }) });
    }
    if (EMITTED.has(-err)) {
      process.nextTick(() => this.#exited(err, 0, step));
      if (isTableFull) closeFds(parentFds);
      return !isTableFull;
    }
    closeFds(parentFds);
    this._handle.close();
    this._handle = null;
    throw spawnException(err, 'spawn', { step });
  }

  // Makes a socket of each of our ends, and opens the channels. If one fails, closes all of them.
  #adopt(entries, parentFds, options) {
    const left = [...parentFds]; // The ends that nothing has taken yet.
    const streams = [];
    try {
      for (const [index, { kind }] of entries.entries()) {
        const isStream = left[index] >= 0 && !CHANNELS.has(kind);
        if (kind !== 'channel') streams.push(isStream ? this.#adoptEnd(kind, index, take(left, index)) : null);
      }
      for (const { kind, stream } of entries) if (kind === 'stream') lend(stream);
      const ended = () => this.#oneEnded();
      this.#ipc = openChannels(this, entries, left, options, ended);
      if (this.#ipc !== null) this.#awaited++;
    } catch (error) {
      for (const socket of streams) socket?.destroy();
      closeFds(left);
      throw error;
    }
    this.stdio = streams;
    [this.stdin, this.stdout, this.stderr] = this.stdio;
  }

  #adoptEnd(kind, index, fd) {
    const handle = new PipeWrap();
    const err = handle.open(fd);
    if (err !== 0) {
      closeFds([fd]);
      throw errnoException(err, 'open');
    }
    // Output that can be read already must come before 'exit'.
    if (this._handle?.pid() > 0) handle.joinGroup(this._handle);
    const isWriteOnly = index === 0;
    const socket = socketOf(handle, { readable: !isWriteOnly, writable: isWriteOnly || kind !== 'fifo' });
    if (!isWriteOnly) {
      this.#awaited++;
      socket.on('close', () => this.#oneEnded());
    }
    return socket;
  }

  #exited(exitCode, signal, step) {
    if (signal > 0) this.signalCode = signalName(signal);
    else this.exitCode = exitCode;
    this.#escalation?.stop();
    this.#closeStdin();
    if (exitCode >= 0) this.resourceUsage = this._handle.resourceUsage() ?? null;
    this._handle.close();
    this._handle = null;

    if (exitCode < 0) this.emit('error', this.#spawnError(exitCode, step));
    else this.emit('exit', this.exitCode, this.signalCode);

    this.#ipc?.onExit(this.#closeOn === 'exit');
    process.nextTick(() => this.#flush());
    // If all streams have closed already, 'close' must still not come in this tick: a
    // program that awaits 'exit', and then 'close', would miss it and wait for ever.
    if (this.#awaited === 1) setImmediate(() => this.#oneEnded());
    else this.#oneEnded();
  }

  #closeStdin() {
    if (!this.stdin?._handle) return;
    this.#awaited++;
    this.stdin.once('close', () => this.#oneEnded());
    this.stdin.destroy();
  }

  #spawnError(err, step) {
    const { spawnfile } = this;
    const syscall = spawnfile ? `spawn ${spawnfile}` : 'spawn';
    const path = spawnfile || undefined;
    return spawnException(err, syscall, { path, spawnargs: this.spawnargs.slice(1), step });
  }

  // A stream that has no reader would never end, and 'close' would never come.
  #flush() {
    for (const stream of this.stdio ?? []) {
      if (!stream?.readable || isLent(stream)) continue;
      if (this.#closeOn === 'exit') endWithExit(stream);
      stream.resume();
    }
  }

  #oneEnded() {
    if (--this.#awaited === 0) this.emit('close', this.exitCode, this.signalCode);
  }

  /**
   * Sends a signal.
   *
   * @param {string | number} [signal]
   * @param {{ tree?: boolean }} [options] tree: also to every process that the child started
   * @returns {boolean} true if the signal was sent; false if the child has ended, or on 'error'
   * @throws ERR_UNKNOWN_SIGNAL
   */
  kill(signal = 'SIGTERM', options = undefined) {
    const number = signal === 0 ? 0 : signalNumber(signal);
    if (options !== undefined) validateObject(options, 'options');
    const isTree = Boolean(options?.tree);
    const isSent = isTree ? this.#killTree(number) : this.#kill(number);
    if (isSent) {
      this.killed = true;
      if (this._handle) this.#escalation?.onSent(number, isTree);
    }
    return isSent;
  }

  #kill(number) {
    return this.#report(() => this.#send(number));
  }

  #killTree(number) {
    if (this.pid === undefined) return false;
    return this.#report(() => killTree(this.pid, number, (each) => this.#send(each)));
  }

  // As in Node: an invalid signal throws, other errors are emitted as 'error'.
  #report(send) {
    try {
      return send();
    } catch (error) {
      if (THROWN.has(error.code)) throw error;
      this.emit('error', error);
      return false;
    }
  }

  // Returns false if the child has ended.
  #send(number) {
    const err = this._handle ? this._handle.kill(number) : -ERRNO.ESRCH;
    if (err === 0) return true;
    if (err === -ERRNO.ESRCH) return false;
    throw errnoException(err, 'kill');
  }

  removeAllListeners(...names) {
    super.removeAllListeners(...names);
    this.#ipc?.watchListeners();
    return this;
  }

  /** @returns {number | null} the pidfd, which ChildProcess closes; null after the child's end, or without pidfds */
  pidfd() {
    const fd = this._handle?.fd ?? -1;
    return fd < 0 ? null : fd;
  }

  /** Lends the pidfd: sending a ChildProcess sends its pidfd. */
  [kLend]() {
    return lendKept(this._handle?.fd);
  }

  ref() {
    this._handle?.ref();
  }

  unref() {
    this._handle?.unref();
  }

  [Symbol.dispose]() {
    if (!this.killed) this.kill();
  }

  /** Ends the child and waits until it has. */
  async [Symbol.asyncDispose]() {
    if (!this._handle || this.pid === undefined) return;
    const exited = new Promise((resolve) => this.once('exit', resolve));
    this[Symbol.dispose]();
    await exited;
  }
}

// A child made by Node's own fork(), or by another copy of this file, is an instance too.
acceptInstancesOf(ChildProcess, NodeChildProcess);

function take(fds, index) {
  const fd = fds[index];
  fds[index] = -1;
  return fd;
}

/** @returns {any} */
function socketOf(handle, options) {
  try {
    return new Socket({ ...options, handle });
  } catch (error) {
    handle.close();
    throw error;
  }
}

function emitSpawn(child) {
  if (child.pid !== undefined) child.emit('spawn');
}

const ownSpawn = ChildProcess.prototype.spawn;

/** Whether other code sees the options of child.spawn(). @param {ChildProcess} child */
function isWatched(child) {
  return child.spawn !== ownSpawn || spawnChannel.start.hasSubscribers;
}

module.exports = { ChildProcess, isWatched };
