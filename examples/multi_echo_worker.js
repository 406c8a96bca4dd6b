'use strict';

// A worker of multi_echo_server.js: echoes on the connections that come over the channel on
// its stdin, until there are no more to come.

const { Channel } = require('pipewright/channel');

const STDIN = 0;

let served = 0;
const server = new Channel(STDIN);

server.on('message', (_, [connection]) => {
  const socket = connection.toSocket();
  socket.on('error', () => {}); // The client has gone.
  socket.pipe(socket);
  served += 1;
});
server.on('close', () => console.log(`process ${process.pid} served ${served}`));
