'use strict';

// pipewright/cluster: pipewright.js MODULE process|thread SCHEDULE sockets|echo|http PATH WORKERS

const path = require('node:path');

const [library, kind, schedule, service, address, workers] = process.argv.slice(2);
const { createCluster } = require(library);

const exec = path.join(__dirname, 'pipewright_worker.js');
const cluster = createCluster({ exec, args: [library, service], workers: Number(workers), kind, schedule });
let ready = 0;
cluster.on('ready', () => {
  if (++ready === Number(workers)) cluster.listen({ path: address }, () => console.log('listening'));
});
process.once('SIGTERM', () => process.exit());
