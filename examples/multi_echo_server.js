'use strict';

// The multi-echo-server of libuv's guide: accepts TCP in this process and passes the
// connections round-robin to worker processes, one a core, over a channel on their stdin.
// (pipewright/cluster does this, and starts workers again: see multi_thread_cluster.js.)
//
//   node examples/multi_echo_server.js [port] [workers]

const { spawn } = require('node:child_process');
const os = require('node:os');
const path = require('node:path');
const { Channel } = require('pipewright/channel');
const { socketpair } = require('pipewright/descriptors');
const { createServer } = require('pipewright/net');

const [port = 7000, count = os.availableParallelism()] = process.argv.slice(2).map(Number);

function startWorker(number) {
  const [ours, theirs] = socketpair();
  const child = spawn(process.execPath, [path.join(__dirname, 'multi_echo_worker.js')], {
    stdio: [theirs.fd, 'inherit', 'inherit'],
  });
  theirs.close();
  child.on('exit', (code, signal) => console.log(`worker ${number} ended: ${signal ?? code}`));
  return new Channel(ours);
}

const workers = Array.from({ length: count }, (_, number) => startWorker(number));
let accepted = 0;

// pauseOnConnect: nothing is read here that the worker would then lack.
const server = createServer({ pauseOnConnect: true }, (socket) => {
  const client = accepted++;
  workers[client % count].sent({ client }, [socket]).catch((error) => {
    console.error(`client ${client} was not passed on: ${error.message}`);
    socket.destroy();
  });
});

server.listen({ port, host: '127.0.0.1' }, () => console.log(`listening on port ${server.address().port}`));

process.on('SIGINT', () => {
  server.close();
  for (const worker of workers) worker.close();
});
