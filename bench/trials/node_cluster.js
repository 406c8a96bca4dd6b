'use strict';
// node:cluster for the trial: node node_cluster.js rr|none PATH WORKERS
const cluster = require('node:cluster');
const net = require('node:net');
const [, , policy, path, workers] = process.argv;
cluster.schedulingPolicy = policy === 'rr' ? cluster.SCHED_RR : cluster.SCHED_NONE;
if (cluster.isPrimary) {
  const all = [];
  for (let i = 0; i < Number(workers); i++) all.push(cluster.fork());
  let ready = 0;
  cluster.on('listening', () => {
    if (++ready === all.length) process.stdout.write(`${JSON.stringify(all.map((w) => w.process.pid))}\n`);
  });
} else {
  net
    .createServer((socket) => {
      socket.on('data', (chunk) => socket.write(chunk));
      socket.on('error', () => {});
    })
    .listen(path);
}
