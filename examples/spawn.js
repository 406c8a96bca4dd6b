'use strict';

// libuv guide, "Spawning child processes": run a program and learn how it ended.
//
//     node examples/spawn.js [folder to make]

const { spawn } = require('pipewright/child_process');

const folder = process.argv[2] ?? 'test-dir';
const child = spawn('mkdir', [folder], { stdio: ['ignore', 'ignore', 'inherit'] });

child.on('error', (err) => console.error(`${err.message} (at: ${err.step})`));
child.on('spawn', () => console.log(`Launched process with ID ${child.pid}`));
child.on('exit', (code, signal) => {
  console.log(`Process exited with status ${code}, signal ${signal}`);
  console.log(`It took ${child.resourceUsage.userCPUTime + child.resourceUsage.systemCPUTime} µs of processor time`);
});
