'use strict';

// Files of listening sockets are removed when their server closes. Where the process
// ends before that, by process.exit() or an uncaught exception, they are removed here.

/** @type {Set<import('./binding.js').Listener>} */
const listeners = new Set();

function removeAll() {
  for (const listener of listeners) listener.removeFile();
}

/** From now on the listener's file goes with the process. */
function removeAtExit(listener) {
  if (listeners.size === 0) process.on('exit', removeAll);
  listeners.add(listener);
}

/** The listener is closed, and its file gone. */
function forgetFile(listener) {
  if (listeners.delete(listener) && listeners.size === 0) process.off('exit', removeAll);
}

module.exports = { forgetFile, removeAtExit };
