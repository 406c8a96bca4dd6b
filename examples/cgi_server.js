'use strict';

// libuv guide, "Parent-child IPC": a server that gives each client to a program of its
// own, as CGI does. We have no more to do with the client then: the program writes to
// its socket, and when the program ends, the client sees the end.
//
//     node examples/cgi_server.js /tmp/cgi.sock [milliseconds between ticks] & nc -U /tmp/cgi.sock

const path = require('node:path');

const { spawn } = require('pipewright/child_process');
const { createServer } = require('pipewright/net');

const [, , address = '/tmp/cgi.sock', pause = '1000'] = process.argv;

const server = createServer({ pauseOnConnect: true }, (client) => {
  const child = spawn(process.execPath, [path.join(__dirname, 'cgi_tick.js'), pause], {
    stdio: ['ignore', client, 'inherit'],
  });
  client.destroy(); // Our copy; the child has its own.
  child.on('exit', () => console.log(`Served by ${child.pid}`));
});

server.listen({ path: address, replaceStale: true }, () => console.log(`Listening at ${address}`));
process.once('SIGINT', () => server.close());
