'use strict';

// Finds and loads the addon, for one copy of lib/; the only file that names it. Its
// classes are documented in docs/binding.md.

const { AsyncResource } = require('node:async_hooks');
const path = require('node:path');
const load = require('node-gyp-build');

const { createDispatch } = require('./completions.js');

/** @type {() => void} */
let dispatch;
const native = load(path.join(__dirname, '..')).createBinding(() => dispatch());
dispatch = createDispatch(native.events, native.eventKinds);

// Every handle remembers the context it was made in: its events run there, as they
// do in Node. Closed handles tell their end themselves (completions.js).
function scoped(Base, type) {
  const name = Base.name;
  return {
    [name]: class extends Base {
      asyncScope = new AsyncResource(type, { requireManualDestroy: true });
    },
  }[name];
}

module.exports = {
  PipeWrap: scoped(native.PipeWrap, 'PIPEWRAP'),
  TcpWrap: scoped(native.TcpWrap, 'TCPWRAP'),
  ProcessWrap: scoped(native.ProcessWrap, 'PROCESSWRAP'),
  Listener: scoped(native.Listener, 'LISTENER'),
  activeHandles: native.activeHandles,
};
