'use strict';

// The file of a listening socket is removed when its server closes. If the process ends
// before that, by process.exit() or an uncaught exception, this code removes it.

/** @type {Set<import('./binding.js').Listener>} */
const listeners = new Set();

function removeAll() {
  for (const listener of listeners) listener.removeFile();
}

/** Has the listener's file removed when the process ends. */
function removeAtExit(listener) {
  if (listeners.size === 0) process.on('exit', removeAll);
  listeners.add(listener);
}

/** Undoes removeAtExit(). */
function forgetFile(listener) {
  if (listeners.delete(listener) && listeners.size === 0) process.off('exit', removeAll);
}

module.exports = { forgetFile, removeAtExit };
