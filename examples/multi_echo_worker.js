'use strict';

// A worker of multi_echo_server.js: echoes on the connections that come over its stdin,
// until there are no more to come.

const { DescriptorPasser } = require('pipewright/descriptors');

async function main() {
  let served = 0;
  for await (const descriptor of new DescriptorPasser(0)) {
    const socket = descriptor.toSocket();
    socket.on('error', () => {}); // The client has gone.
    socket.pipe(socket);
    served += 1;
  }
  console.log(`worker ${process.pid} served ${served}`);
}

main();
