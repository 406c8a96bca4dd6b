'use strict';

// What every column of bench/cluster and bench/cluster_http serves.

const http = require('node:http');
const net = require('node:net');

const PAGE = Buffer.from('hello, world\n');

/** @returns {net.Server} of Node, not listening: kind is `echo` or `http` */
function makeServer(kind) {
  return kind === 'http' ? http.createServer(answer) : net.createServer(echo);
}

function answer(request, response) {
  response.writeHead(200, { 'Content-Type': 'text/plain', 'Content-Length': PAGE.length });
  response.end(PAGE);
}

function echo(socket) {
  socket.on('data', (chunk) => socket.write(chunk));
  socket.on('error', () => {});
}

module.exports = { echo, makeServer };
