'use strict';

// A worker thread that uses what is moved to it. For the chapter descriptors.js of the
// tour.

const fs = require('node:fs');
const { parentPort, threadId } = require('node:worker_threads');
const { Descriptor } = require('pipewright/descriptors');

const greet = (socket) => socket.end(`served by thread ${threadId}`);

const uses = {
  file(descriptor) {
    const text = fs.readFileSync(descriptor.fd, 'utf8');
    descriptor.close();
    return text;
  },
  listener(descriptor) {
    descriptor.toServer(greet);
    return 'listening';
  },
  connection(descriptor) {
    greet(descriptor.toSocket());
    return 'greeted';
  },
};

parentPort.on('message', ({ what, token }) => parentPort.postMessage(uses[what](Descriptor.from(token))));
