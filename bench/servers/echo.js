'use strict';

// The echo server of every benchmark: node echo.js MODULE PATH
// MODULE is node:net, or the path, relative to this file, of a module with the same API.

const [implementation, path] = process.argv.slice(2);
const { createServer } = require(implementation);

createServer(serverOnConnection).listen(path, () => console.log('listening'));

function serverOnConnection(socket) {
  socket.on('data', (chunk) => socket.write(chunk));
}

process.once('SIGTERM', () => process.exit());
