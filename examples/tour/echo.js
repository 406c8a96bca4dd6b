'use strict';

// An echo server on a path of mode 0660. 50 clients in another process send 100 000
// messages, each when the reply to the one before it has come, and compare every reply.

const assert = require('node:assert/strict');
const { once } = require('node:events');
const fs = require('node:fs');
const path = require('node:path');
const { createServer } = require('pipewright/net');

const { describeMode, inTemporaryFolder, startProgram } = require('./tools.js');

const CLIENTS = 50;
const MESSAGES = 100_000;

module.exports = (say) => inTemporaryFolder((folder) => echo(path.join(folder, 'echo.sock'), say));

async function echo(socketPath, say) {
  let connections = 0;
  const server = createServer((socket) => {
    connections += 1;
    socket.pipe(socket);
  });
  await once(server.listen({ path: socketPath, mode: 0o660 }), 'listening');
  say(`listening on ${server.address()}`);
  say(`its file: ${describeMode(socketPath)}, under a umask of 0${process.umask().toString(8)}`);
  assert.equal(fs.statSync(socketPath).mode & 0o777, 0o660);

  const clients = startProgram('echo_clients.js', socketPath, CLIENTS, MESSAGES / CLIENTS);
  say(`process ${clients.child.pid} connects ${CLIENTS} clients; each has one message of 64 bytes under way`);
  const { replies, bytes, seconds } = JSON.parse(await clients.line());
  assert.deepEqual(await clients.exited, [0, null]);
  assert.equal(connections, CLIENTS);
  assert.equal(replies, MESSAGES);
  say(`${grouped(replies)} replies, ${grouped(bytes)} bytes, each compared with its message: all equal`);
  say(`${grouped(Math.round(replies / seconds))} messages a second`);

  server.close();
  await once(server, 'close');
  assert.equal(fs.existsSync(socketPath), false);
  say('closed; the file is gone');
}

const grouped = (number) => String(number).replace(/\B(?=(\d{3})+$)/g, ' ');
