'use strict';

// A worker thread that echoes over a MessagePort. A buffer is copied, as it is for a process; to hand its memory over
// would cost nothing and would leave the sender without it.

const { MessageChannel, Worker, isMainThread, workerData } = require('node:worker_threads');
const { readArguments, startExchange } = require('./exchange.js');

function measure() {
  const work = readArguments();
  const { port1, port2 } = new MessageChannel();
  const worker = new Worker(__filename, { workerData: port2, transferList: [port2] });
  worker.on('error', (err) => {
    throw err;
  });
  const onReply = startExchange(work, {
    send: (message) => port1.postMessage(message),
    end: () => process.exit(),
  });
  port1.on('message', onReply);
}

if (isMainThread) {
  measure();
} else {
  workerData.on('message', (message) => workerData.postMessage(message));
}
