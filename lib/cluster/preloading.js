'use strict';

// How an unchanged program is started: preload.js is loaded before it.

const path = require('node:path');

const PRELOAD = path.join(__dirname, 'preload.js');
const NODES_VARIABLE = 'NODE_UNIQUE_ID'; // By which node:cluster knows that it is in a worker.

/** @returns {{ execArgv: string[], env: Record<string, string> }} what a worker gets beside its own */
function preloadOf(id, { interceptListen }) {
  if (!interceptListen) return { execArgv: [], env: {} };
  return { execArgv: ['--require', PRELOAD], env: { [NODES_VARIABLE]: String(id) } };
}

module.exports = { preloadOf };
