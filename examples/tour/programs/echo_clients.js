'use strict';

// echo_clients.js PATH CLIENTS MESSAGES: each client sends so many messages to an echo
// server, one at a time, and compares the replies. Prints { replies, bytes, seconds }.

const assert = require('node:assert/strict');
const { once } = require('node:events');
const { connect } = require('pipewright/net');

const LENGTH = 64;
const [path, clients, messages] = process.argv.slice(2);

async function run(socket, name) {
  let sent = 0;
  let expected;
  let received = '';
  let bytes = 0;
  const next = () => {
    sent += 1;
    expected = `client ${name}, message ${sent} `.padEnd(LENGTH, '.');
    received = '';
    socket.write(expected);
  };
  socket.setEncoding('latin1').on('data', (text) => {
    received += text;
    bytes += text.length;
    if (received.length < LENGTH) return;
    assert.equal(received, expected);
    if (sent < Number(messages)) next();
    else socket.end();
  });
  next();
  await once(socket, 'end');
  return bytes;
}

async function main() {
  const sockets = Array.from({ length: Number(clients) }, () => connect(path));
  await Promise.all(sockets.map((socket) => once(socket, 'connect')));
  const began = process.hrtime.bigint();
  const bytes = (await Promise.all(sockets.map(run))).reduce((sum, each) => sum + each, 0);
  const seconds = Number(process.hrtime.bigint() - began) / 1e9;
  console.log(JSON.stringify({ replies: bytes / LENGTH, bytes, seconds }));
}

main();
