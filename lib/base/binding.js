'use strict';

// Finds and loads the addon, for one copy of lib/; the only file that names it. Its
// classes are documented in docs/binding.md.

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

// C++ wants its function at once, which in turn needs what C++ gives back.
const dispatcher = { run() {} };
const native = loadAddon().createBinding(() => dispatcher.run());
dispatcher.run = createDispatch(native.events, native.eventKinds, native.closeInBackground);

// What every handle has in JavaScript. `asyncScope` is the context it was made in:
// its events run there, as they do in Node.
function handleClass(Base, defaultType) {
  class Handle extends Base {
    constructor(type = defaultType) {
      super();
      this.asyncScope = new AsyncResource(type, { requireManualDestroy: true });
    }

    getAsyncId() {
      return this.asyncScope.asyncId();
    }

    get fd() {
      return this.getFd();
    }

    close(callback) {
      const result = super.close();
      if (typeof callback !== 'function') return result;
      if (result === 0) {
        this.onclose = callback;
      } else {
        // Never opened, or closed before: no event will come. In a later turn all the
        // same, so that what the caller still has to say comes first.
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

  /** The number of an open ProcessWrap of this copy of lib/; a negative one of anything else. */
  static idOf(value) {
    return typeof value === 'object' && value !== null && #isOurs in value ? value.getId() : -1;
  }
}

function streamClass(Base, type) {
  class Stream extends handleClass(Base, type) {
    // Whether reads are under way, as Node's handles have it.
    reading = false;

    // What is read goes to `reader`, of which `onread` is the name for others. They may be
    // Node itself, which replaces `onread` on the handle of an idle socket of http.Agent
    // (22 and later). A Socket sets `reader`, and `onreadreplaced`, which gets what others
    // write; without it they write to `reader`.
    reader = undefined;
    onreadreplaced = undefined;
    shownOnread = undefined;

    // What sees a small read where it is, in a slab, as (slab, start, end) instead of
    // `reader`, and copies what it keeps: the memory is used again after the call.
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

    // See StreamWrap::WriteScratch() for why small ones take another way.
    writeBuffer(chunk) {
      // One whose memory was transferred away has no length, and cannot be copied.
      const isSmall = isUint8Array(chunk) && chunk.length > 0 && chunk.length <= scratch.length;
      if (!isSmall) return super.writeBuffer(chunk);
      scratch.set(chunk);
      return this.writeScratch(chunk.length);
    }

    // The stream is one of that child's stdio: the child's exit comes after its output.
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

class MessageSocket extends streamClass(native.MessageSocket, 'MESSAGESOCKETWRAP') {
  // With descriptors, or many bytes, there is no scratch to take.
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
  isOwn,
  leaveDescriptor,
  peerCredentials,
  pipe,
  setBlocking,
  socketName,
  socketPair,
  spawnSync,
  stdioSocketPair,
  untrackFd,
} = native;
const { writeBuffer: writeMessage } = native.MessageSocket.prototype;
const PipeWrap = streamClass(native.PipeWrap, 'PIPEWRAP');
const TcpWrap = streamClass(native.TcpWrap, 'TCPWRAP');
const Listener = handleClass(native.Listener, 'PIPESERVERWRAP');
const SignalWrap = handleClass(native.SignalWrap, 'SIGNALWRAP');

// Plain names only: Node finds no others when an ES module imports by name.
module.exports = {
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
  isOwn,
  leaveDescriptor,
  peerCredentials,
  pipe,
  setBlocking,
  socketName,
  socketPair,
  spawnSync,
  stdioSocketPair,
  untrackFd,
};
