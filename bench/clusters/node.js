'use strict';

// node:cluster: node.js rr|none KIND PATH WORKERS

const cluster = require('node:cluster');
const path = require('node:path');

const [policy, kind, address, workers] = process.argv.slice(2);

cluster.schedulingPolicy = policy === 'rr' ? cluster.SCHED_RR : cluster.SCHED_NONE;
cluster.setupPrimary({ exec: path.join(__dirname, 'listening.js'), args: [kind, address] });
for (let i = 0; i < Number(workers); i++) cluster.fork();
let listening = 0;
cluster.on('listening', () => {
  if (++listening === Number(workers)) console.log('listening');
});
process.once('SIGTERM', () => process.exit());
