'use strict';

// libuv guide, "Child Process I/O": of the child's streams only stderr is ours.
//
//     node examples/proc_streams.js

const { spawn } = require('pipewright/child_process');

const program = `
  console.log('This is stdout');
  console.error('This is stderr');`;
const child = spawn(process.execPath, ['-e', program], { stdio: ['ignore', 'ignore', 'inherit'] });

child.on('exit', (code) => console.log(`The child ended with ${code}`));
