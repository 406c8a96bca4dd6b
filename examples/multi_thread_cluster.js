'use strict';

// An HTTP server on all cores of one process: the main thread accepts, worker threads serve,
// and one that ends is followed by another. This file is the program of both.
//
//   node examples/multi_thread_cluster.js [threads.sock] [threads]
//   curl --unix-socket threads.sock http://localhost/

const http = require('node:http');
const os = require('node:os');
const { createCluster, worker } = require('pipewright/cluster');

function startCluster([path = 'threads.sock', workers = os.availableParallelism()]) {
  const cluster = createCluster({ exec: __filename, kind: 'thread', workers: Number(workers) });
  cluster.listen({ path, replaceStale: true }, () => console.log(`listening on ${path}`));
  cluster.on('ready', ({ id }) => console.log(`thread ${id} is ready`));
  cluster.on('exit', ({ id }, _code, _signal, moved) => {
    console.log(`thread ${id} has ended; ${moved} of its connections go to others`);
  });
  cluster.on('error', (error) => console.error(error.message));
  process.once('SIGINT', () => cluster.close());
}

function serve() {
  const server = http.createServer((request, response) => {
    if (request.url === '/crash') throw new Error('asked to crash');
    response.end(`thread ${worker.id}\n`);
  });
  worker.serve(server);
  worker.ready();
}

if (worker.isWorker) serve();
else startCluster(process.argv.slice(2));
