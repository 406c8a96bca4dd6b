'use strict';

// Plain Node: serves with the server that it is sent, and sends a socket back.

const net = require('node:net');

process.on('message', (message, handle) => {
  if (message === 'serve') {
    handle.on('connection', (socket) => socket.end(`served by ${process.pid}`, () => handle.close()));
  } else {
    const server = net.createServer((socket) => socket.end('through a pipe of the child'));
    server.listen(0, '127.0.0.1', () => {
      const client = net.connect(server.address(), () => {
        process.send('yours', client);
        server.close();
      });
    });
  }
});
process.send({ version: process.versions.node });
