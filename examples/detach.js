'use strict';

// libuv guide, "Detaching processes": a child that goes on when its parent ends.
//
//     node examples/detach.js [seconds]

const { spawn } = require('pipewright/child_process');

const child = spawn('sleep', [process.argv[2] ?? '100'], { detached: true, stdio: 'ignore' });

child.on('error', (err) => console.error(err.message));
child.on('spawn', () => {
  console.log(`Launched sleep with PID ${child.pid}`);
  child.unref(); // Without this we would wait for it.
});
