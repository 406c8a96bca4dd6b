'use strict';

// doomed_server.js PATH: listens there until it is killed.

const { createServer } = require('pipewright/net');

const server = createServer((socket) => socket.end());
server.listen(process.argv[2], () => console.log(`listens on ${server.address()}`));
