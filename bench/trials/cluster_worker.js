'use strict';
// A worker of the trial: node cluster_worker.js sockets|handles, connections on descriptor 3.
const net = require('node:net');
const { Descriptor } = require('../../lib/index.js');
const { PipeWrap, untrackFd } = require('../../lib/base/binding.js');
const { Receiver } = require('../../lib/cluster/receiver.js');
const { Socket } = require('../../lib/net/index.js');

const [, , mode] = process.argv;
const echo = (socket) => {
  socket.on('data', (chunk) => socket.write(chunk));
  socket.on('error', () => {});
};
const server = net.createServer(echo);
let receiver;
function asSocket(fd, id) {
  const handle = new PipeWrap();
  handle.open(fd);
  const socket = new Socket({ handle });
  socket.on('close', () => receiver.closed(id));
  echo(socket);
  socket.resume();
}
const key = Object.getOwnPropertySymbols(server).find((s) => String(s).includes('owner')) ?? 'none';
let listener = null;
function asHandle(fd, id) {
  const handle = net._createServerHandle(null, null, null, fd);
  untrackFd(fd);
  const { close } = handle;
  handle.close = function (callback) {
    handle.close = close;
    receiver.closed(id);
    return close.call(handle, callback);
  };
  listener.onconnection(0, handle);
}
// Node's server needs a handle of its own whose onconnection it has set.
async function main() {
  if (mode === 'handles') {
    await new Promise((resolve) => server.listen(`\0trial-${process.pid}`, resolve));
    listener = server._handle;
  }
  receiver = new Receiver(new Descriptor(3), {
    isTakenAtOnce: () => false,
    onConnection: mode === 'handles' ? asHandle : asSocket,
    onEnd: () => process.exit(0),
  });
  process.stdout.write('ready\n');
}
void key;
main();
