'use strict';

// An echo server that does not look at what it echoes: node pipe.js MODULE PATH, as echo.js.

const [implementation, path] = process.argv.slice(2);
const { createServer, pump } = require(implementation);

createServer(serverOnConnection).listen(path, () => console.log('listening'));

function serverOnConnection(socket) {
  if (pump === undefined) socket.pipe(socket);
  else pump(socket, socket).catch(() => {}); // The load may leave without reading all.
}

process.once('SIGTERM', () => process.exit());
