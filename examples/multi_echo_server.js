'use strict';

// The multi-echo-server of libuv's guide: accepts TCP in this process and passes the
// connections round-robin to worker processes, one a core, over their stdin.
//
//   node examples/multi_echo_server.js [port] [workers]

const { spawn } = require('node:child_process');
const os = require('node:os');
const path = require('node:path');
const { DescriptorPasser } = require('pipewright/descriptors');
const { createServer } = require('pipewright/net');

const [port = 7000, count = os.availableParallelism()] = process.argv.slice(2).map(Number);

function startWorker() {
  const passer = new DescriptorPasser();
  const child = spawn(process.execPath, [path.join(__dirname, 'multi_echo_worker.js')], {
    stdio: [passer.childFd, 'inherit', 'inherit'],
  });
  child.on('exit', (code, signal) => console.log(`worker ${child.pid} ended: ${signal ?? code}`));
  passer.parent();
  return passer;
}

const workers = Array.from({ length: count }, startWorker);
let next = 0;

// pauseOnConnect: nothing is read here that the worker would then lack.
const server = createServer({ pauseOnConnect: true }, (socket) => {
  const worker = workers[next++ % workers.length];
  worker.send(socket).catch((error) => {
    console.error(`not passed on: ${error.message}`);
    socket.destroy();
  });
});

server.listen({ port, host: '127.0.0.1' }, () => console.log(`listening on port ${server.address().port}`));

process.on('SIGINT', () => {
  server.close();
  for (const worker of workers) worker.close();
});
