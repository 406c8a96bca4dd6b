'use strict';

// A thread that looks at a file as often as it can, and at last tells how often it saw
// the file with which mode: a Map of mode to count.

const fs = require('node:fs');
const { parentPort, receiveMessageOnPort, workerData } = require('node:worker_threads');

const seen = new Map();
parentPort.postMessage('watching');
while (receiveMessageOnPort(parentPort) === undefined) {
  for (let i = 0; i < 1000; i++) {
    const mode = fs.lstatSync(workerData, { throwIfNoEntry: false })?.mode;
    if (mode !== undefined) seen.set(mode & 0o777, (seen.get(mode & 0o777) ?? 0) + 1);
  }
}
parentPort.postMessage(seen);
