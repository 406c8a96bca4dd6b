'use strict';

// The pipe-echo-server of libuv's guide: sends back what it gets, on a socket file.
//
//   node examples/pipe_echo_server.js [echo.sock]
//   socat - UNIX-CONNECT:echo.sock
//
// SIGINT (Ctrl-C) ends it, and its file goes with it.

const { createServer } = require('pipewright/net');

const server = createServer((socket) => {
  socket.on('error', (error) => console.error(error.message));
  socket.pipe(socket);
});

server.on('error', (error) => {
  console.error(error.message);
  process.exitCode = 1;
});

server.listen({ path: process.argv[2] ?? 'echo.sock', replaceStale: true }, () => {
  console.log(`listening on ${server.address()}`);
});

process.on('SIGINT', () => {
  server.close();
  process.exit();
});
