'use strict';

// Finds and loads the addon for this copy of lib/. No other file names it. docs/binding.md
// documents its classes.

const { AsyncResource } = require('node:async_hooks');
const path = require('node:path');
const { isUint8Array } = require('node:util').types;
const nodeGypBuild = require('node-gyp-build');

const { createDispatch } = require('./completions.js');
const { noBinary, unsupportedRuntime } = require('./errors.js');

// Bun runs Node-API addons, but aborts the process at their first call of libuv.
function loadAddon() {
  const { bun } = process.versions;
  if (bun !== undefined) throw unsupportedRuntime(`Bun ${bun}`);
  try {
    return nodeGypBuild(path.join(__dirname, '../..'));
  } catch (cause) {
    throw noBinary(cause);
  }
}

// createBinding() needs the dispatch function, and createDispatch() needs what
// createBinding() returns.
const dispatcher = { run() {} };
const native = loadAddon().createBinding(() => dispatcher.run());
dispatcher.run = createDispatch(native.events, native.eventKinds, native.closeInBackground);

// Adds the methods that every handle has in JavaScript. `asyncScope` is the context in
// which the handle was made: its events run there, as in Node.
function handleClass(Base, defaultType) {
  class Handle extends Base {
    constructor(type = defaultType) {
      super();
      this.isPrivate = false; // True if no other process can have the descriptor.
      this.asyncScope = new AsyncResource(type, { requireManualDestroy: true });
    }

    getAsyncId() {
      return this.asyncScope.asyncId();
    }

    // Who asks for the number may give the descriptor to another process.
    get fd() {
      this.isPrivate = false;
      return this.getFd();
    }

    close(callback) {
      const result = super.close();
      if (typeof callback !== 'function') return result;
      if (result === 0) {
        this.onclose = callback;
      } else {
        // The handle was never opened, or is closed already, so no event will come. The
        // callback still comes in a later turn, after the code that follows this call.
        setImmediate(callback);
      }
      return result;
    }
  }
  Object.defineProperty(Handle, 'name', { value: Base.name });
  return Handle;
}

const { scratch } = native.events;

class ProcessWrap extends handleClass(native.ProcessWrap, 'PROCESSWRAP') {
  #isOurs = true;

  /** Returns the number of an open ProcessWrap of this copy of lib/; negative for any other value. */
  static idOf(value) {
    return typeof value === 'object' && value !== null && #isOurs in value ? value.getId() : -1;
  }
}

function streamClass(Base, type) {
  class Stream extends handleClass(Base, type) {
    // True while the handle reads, as on Node's handles.
    reading = false;

    // `reader` gets what is read. Other code knows it as `onread`: Node itself replaces
    // `onread` on the handle of an idle socket of http.Agent (22 and later). A Socket sets
    // `reader` and `onreadreplaced`; the latter is called when other code assigns `onread`.
    // On a handle without `onreadreplaced`, assigning `onread` sets `reader`.
    reader = undefined;
    onreadreplaced = undefined;
    shownOnread = undefined;

    // `viewer` gets small reads in place of `reader`, as (slab, start, end). It copies what it
    // keeps, because the slab is used again after the call.
    viewer = undefined;

    get onread() {
      return this.shownOnread ?? this.reader;
    }

    set onread(replacement) {
      if (this.onreadreplaced === undefined) {
        this.reader = replacement;
      } else {
        this.shownOnread = replacement;
        this.onreadreplaced(replacement);
      }
    }

    // StreamWrap::WriteScratch() says why small writes take another way.
    writeBuffer(chunk) {
      // A chunk whose memory was transferred away has length 0, and cannot be copied.
      const isSmall = isUint8Array(chunk) && chunk.length > 0 && chunk.length <= scratch.length;
      if (!isSmall) return super.writeBuffer(chunk);
      scratch.set(chunk);
      return this.writeScratch(chunk.length);
    }

    // Makes the stream one of the child's stdio: the child's exit comes after its output.
    joinGroup(child) {
      return super.joinGroup(ProcessWrap.idOf(child));
    }

    get bytesRead() {
      return this.getBytesRead();
    }

    get bytesWritten() {
      return this.getBytesWritten();
    }

    get writeQueueSize() {
      return this.getWriteQueueSize();
    }
  }
  Object.defineProperty(Stream, 'name', { value: Base.name });
  return Stream;
}

const NO_STREAM = -1; // In place of its number.
const kIsLibuvs = Symbol('is a stream of libuv, of this copy of lib');

function libuvStreamClass(Base, type) {
  class Stream extends streamClass(Base, type) {
    get [kIsLibuvs]() {
      return true;
    }

    // Gives what is read to another such stream, and to `reader` what that does not take at once.
    forwardTo(target) {
      if (target === null) return super.forwardTo(NO_STREAM);
      return super.forwardTo(target?.[kIsLibuvs] === true ? target.getId() : undefined);
    }
  }
  Object.defineProperty(Stream, 'name', { value: Base.name });
  return Stream;
}

class MessageSocket extends streamClass(native.MessageSocket, 'MESSAGESOCKETWRAP') {
  // A message may have descriptors, so it does not go through the scratch buffer.
  writeBuffer(chunk, descriptors) {
    return writeMessage.call(this, chunk, descriptors);
  }

  get counters() {
    return this.getCounters();
  }
}

const {
  activeHandles,
  allowDescriptors,
  claimDescriptor,
  closeFd,
  closeInBackground,
  closeOnExec,
  descriptorType,
  duplicateFd,
  getFlags,
  hasHandle,
  ignoreParentDeath,
  isOwn,
  leaveDescriptor,
  openForeign,
  peerCredentials,
  pipe,
  setBlocking,
  shutDownReading,
  socketName,
  socketPair,
  spawnSync,
  stdioSocketPair,
  untrackFd,
} = native;
const { writeBuffer: writeMessage } = native.MessageSocket.prototype;
const PipeWrap = libuvStreamClass(native.PipeWrap, 'PIPEWRAP');
const TcpWrap = libuvStreamClass(native.TcpWrap, 'TCPWRAP');
const ConnectionDispatcher = handleClass(native.ConnectionDispatcher, 'CONNECTIONDISPATCHER');
const ConnectionReceiver = handleClass(native.ConnectionReceiver, 'CONNECTIONRECEIVER');
const ConnectionSender = handleClass(native.ConnectionSender, 'CONNECTIONSENDER');
const Listener = handleClass(native.Listener, 'PIPESERVERWRAP');
const SignalWrap = handleClass(native.SignalWrap, 'SIGNALWRAP');

// Identifiers only: Node finds no other exports when an ES module imports by name.
module.exports = {
  ConnectionDispatcher,
  ConnectionReceiver,
  ConnectionSender,
  Listener,
  MessageSocket,
  PipeWrap,
  ProcessWrap,
  SignalWrap,
  TcpWrap,
  activeHandles,
  allowDescriptors,
  claimDescriptor,
  closeFd,
  closeInBackground,
  closeOnExec,
  descriptorType,
  duplicateFd,
  getFlags,
  hasHandle,
  ignoreParentDeath,
  isOwn,
  leaveDescriptor,
  openForeign,
  peerCredentials,
  pipe,
  setBlocking,
  shutDownReading,
  socketName,
  socketPair,
  spawnSync,
  stdioSocketPair,
  untrackFd,
};
