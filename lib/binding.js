'use strict';

// Finds and loads the addon, for one copy of lib/; the only file that names it. Its
// classes are documented in docs/binding.md.

const { AsyncResource } = require('node:async_hooks');
const path = require('node:path');
const load = require('node-gyp-build');

const { createDispatch } = require('./completions.js');

// C++ wants its function at once, which in turn needs what C++ gives back.
const dispatcher = { run() {} };
const native = load(path.join(__dirname, '..')).createBinding(() => dispatcher.run());
dispatcher.run = createDispatch(native.events, native.eventKinds);

// What every handle has in JavaScript. `asyncScope` is the context it was made in:
// its events run there, as they do in Node.
function handleClass(Base, type) {
  class Handle extends Base {
    asyncScope = new AsyncResource(type, { requireManualDestroy: true });

    getAsyncId() {
      return this.asyncScope.asyncId();
    }

    get fd() {
      return this.getFd();
    }

    close(callback) {
      const result = super.close();
      if (typeof callback !== 'function') return result;
      if (result === 0) this.onclose = callback;
      if (result === 1) process.nextTick(callback); // Never opened: no event will come.
      return result;
    }
  }
  Object.defineProperty(Handle, 'name', { value: Base.name });
  return Handle;
}

function streamClass(Base, type) {
  class Stream extends handleClass(Base, type) {
    // Whether reads are under way, as Node's handles have it.
    reading = false;

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

// Descriptors that nobody listens for are closed.
class MessageSocket extends streamClass(native.MessageSocket, 'MESSAGESOCKETWRAP') {
  ondescriptors(list) {
    list.forEach(native.closeInBackground);
  }

  get counters() {
    return this.getCounters();
  }
}

module.exports = {
  PipeWrap: streamClass(native.PipeWrap, 'PIPEWRAP'),
  TcpWrap: streamClass(native.TcpWrap, 'TCPWRAP'),
  Listener: handleClass(native.Listener, 'LISTENER'),
  MessageSocket,
  activeHandles: native.activeHandles,
  allowDescriptors: native.allowDescriptors,
  claimDescriptor: native.claimDescriptor,
  closeFd: native.closeFd,
  closeInBackground: native.closeInBackground,
  descriptorType: native.descriptorType,
  duplicateFd: native.duplicateFd,
  getFlags: native.getFlags,
  leaveDescriptor: native.leaveDescriptor,
  peerCredentials: native.peerCredentials,
  setBlocking: native.setBlocking,
  socketPair: native.socketPair,
  trackFd: native.trackFd,
  untrackFd: native.untrackFd,
};
