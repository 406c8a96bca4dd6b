'use strict';
// A worker of the trial: node cluster_worker.js sockets|handles, connections on descriptor 3, its page on 4.
const { Descriptor, net } = require('../../lib/index.js');
const { Receiver } = require('../../lib/cluster/receiver.js');
const { sourceOf } = require('../../lib/cluster/sources.js');

const [, , mode] = process.argv;
const { createServer } = mode === 'handles' ? require('node:net') : net;
const server = createServer((socket) => {
  socket.on('data', (chunk) => socket.write(chunk));
  socket.on('error', () => {});
});
const source = sourceOf(server, () => {});
const receiver = new Receiver(new Descriptor(3), new Descriptor(4), {
  heartbeat: 1000,
  isTakenAtOnce: () => false,
  onConnection: (fd, id) => source.take(fd, false, id, receiver),
  onEnd: () => process.exit(0),
});
process.stdout.write('ready\n');
