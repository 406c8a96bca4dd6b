'use strict';

// What cgi_server.js runs for each client: its stdout is the client's socket.
//
//     node examples/cgi_tick.js [milliseconds between ticks]

const { writeSync } = require('node:fs');
const { setTimeout: after } = require('node:timers/promises');

async function main() {
  for (let i = 0; i < 10; i++) {
    writeSync(1, 'tick\n');
    await after(Number(process.argv[2] ?? 1000));
  }
  writeSync(1, 'BOOM!\n');
}

main();
