'use strict';

// libuv guide, "Signals": two watchers of SIGUSR1 in each of two threads. All four are
// called; each stops itself then, and with the last one the program ends.
//
//     node examples/signals.js & kill -USR1 $!

const { isMainThread, parentPort, threadId, Worker } = require('node:worker_threads');

const { watchSignal } = require('pipewright/signals');

function watch(number) {
  const watcher = watchSignal('SIGUSR1', (name) => {
    console.log(`Thread ${threadId}, watcher ${number}: ${name}`);
    watcher.stop();
  });
}

watch(1);
watch(2);
if (isMainThread) {
  const worker = new Worker(__filename);
  worker.once('message', () => console.log(`I am PID ${process.pid}`));
} else {
  parentPort.postMessage('watching');
}
