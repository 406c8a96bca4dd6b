'use strict';

// Accepts in this thread and serves in others: each connection is moved to a worker
// thread by a token in a message. (The other two ways, a shared listener and a passer
// over a socketpair, are in docs/descriptors.md.)
//
//   node examples/multi_thread_echo.js [threads.sock] [threads]

const os = require('node:os');
const { Worker, isMainThread, parentPort, threadId } = require('node:worker_threads');
const { Descriptor, toDescriptor } = require('pipewright/descriptors');
const { createServer } = require('pipewright/net');

function accept([file = 'threads.sock', count = os.availableParallelism()]) {
  const threads = Array.from({ length: Number(count) }, () => new Worker(__filename));
  let next = 0;
  const server = createServer({ pauseOnConnect: true }, (socket) => {
    const thread = threads[next++ % threads.length];
    thread.postMessage(toDescriptor(socket).transfer());
  });
  server.listen({ path: file, replaceStale: true }, () => console.log(`listening on ${server.address()}`));
  process.on('SIGINT', () => {
    server.close();
    for (const thread of threads) thread.postMessage('stop');
  });
}

function serve() {
  parentPort.on('message', (token) => {
    if (token === 'stop') {
      parentPort.close();
      return;
    }
    const socket = Descriptor.from(token).toSocket();
    socket.on('error', () => {});
    socket.on('data', (chunk) => socket.write(`thread ${threadId}: ${chunk}`));
  });
}

if (isMainThread) {
  accept(process.argv.slice(2));
} else {
  serve();
}
