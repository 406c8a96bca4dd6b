'use strict';

// The server of bench/floors: node --expose-gc counted.js MODULE PATH
// It is the echo server; at SIGUSR2 it prints what it has done so far, as JSON: crossings from C++ into
// JavaScript, calls from JavaScript into C++, and bytes of the heap, of which nothing is collected in between.

const path = require('node:path');
const nodeGypBuild = require('node-gyp-build');

const CLASSES = ['Listener', 'PipeWrap'];

const counts = { crossings: 0, calls: 0 };
const addon = nodeGypBuild(path.join(__dirname, '../..'));
const { createBinding } = addon;

addon.createBinding = (dispatch) => {
  const binding = createBinding(() => {
    counts.crossings += 1;
    dispatch();
  });
  for (const name of CLASSES) countCalls(binding, name);
  return binding;
};

// Of the constructor, too.
function countCalls(binding, name) {
  const { prototype } = binding[name];
  for (const method of Object.getOwnPropertyNames(prototype)) {
    const original = prototype[method];
    if (method === 'constructor' || typeof original !== 'function') continue;
    prototype[method] = function counted(...args) {
      counts.calls += 1;
      return original.apply(this, args);
    };
  }
  binding[name] = class extends binding[name] {
    constructor(...args) {
      counts.calls += 1;
      super(...args);
    }
  };
}

process.on('SIGUSR2', () => {
  console.log(JSON.stringify({ ...counts, heapBytes: process.memoryUsage().heapUsed }));
  globalThis.gc();
});

require('./echo.js');
