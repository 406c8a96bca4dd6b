'use strict';

// A worker of pipewright.js: pipewright_worker.js MODULE sockets|echo|http. With `sockets` it echoes
// on pipewright's sockets; the others are servers of Node's that it serves.

const { echo, makeServer } = require('./servers.js');

const [library, service] = process.argv.slice(2);
const { worker } = require(library);

if (service === 'sockets') worker.on('connection', echo);
else worker.serve(makeServer(service));
worker.ready();
