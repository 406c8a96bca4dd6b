'use strict';

// A thread that looks at a file as often as it can, counts how often it was there, and at
// last tells with which modes: a Set.

const fs = require('node:fs');
const { parentPort, receiveMessageOnPort, workerData } = require('node:worker_threads');

const { file, looks } = workerData;
const modes = new Set();
parentPort.postMessage('watching');
while (receiveMessageOnPort(parentPort) === undefined) {
  for (let i = 0; i < 1000; i++) {
    const mode = fs.lstatSync(file, { throwIfNoEntry: false })?.mode;
    if (mode === undefined) continue;
    modes.add(mode & 0o777);
    Atomics.add(looks, 0, 1);
  }
}
parentPort.postMessage(modes);
