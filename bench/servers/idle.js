'use strict';

// The server of bench/memory: node --expose-gc idle.js MODULE PATH
// It is the echo server; at SIGUSR2 it collects garbage and then prints 'collected'.

require('./echo.js');

const collectGarbage = globalThis.gc ?? (() => globalThis.Bun.gc(true));

process.on('SIGUSR2', () => {
  collectGarbage();
  // The second collection frees what finalizers and callbacks of the first one let go of.
  setImmediate(() => {
    collectGarbage();
    console.log('collected');
  });
});
