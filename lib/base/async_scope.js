'use strict';

// A request's context: what completes in a later turn runs in the context in which it
// was asked for, as node:async_hooks has it.

const { AsyncResource } = require('node:async_hooks');

/**
 * `callback`, to be called once, later, in today's context. AsyncResource.bind() would
 * do, but takes 20 µs in Node 20.
 *
 * @param {string} type the name of the resource
 * @param {(...args: any[]) => void} callback
 */
function inThisContext(type, callback) {
  const scope = new AsyncResource(type, { requireManualDestroy: true });
  return (...args) => {
    scope.runInAsyncScope(callback, undefined, ...args);
    scope.emitDestroy();
  };
}

module.exports = { inThisContext };
