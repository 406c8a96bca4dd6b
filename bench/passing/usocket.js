'use strict';

// Descriptors to another process over the npm package usocket, BATCH a message. The
// other closes each. node bench/passing/usocket.js COUNT BATCH; prints
// { descriptorsPerSecond } of those that came: it loses what does not fit into the
// socket at once, so the sender waits for an answer after each 16 messages.

const { spawn } = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { UServer, USocket } = require('usocket');

const [count, batch, file] = process.argv.slice(2);
const COUNT = Number(count);
const BATCH = Number(batch);

function send() {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'pipewright-bench-'));
  process.once('exit', () => fs.rmSync(folder, { recursive: true, force: true }));
  const name = path.join(folder, 's');
  const server = new UServer();
  const fds = Array(BATCH).fill(fs.openSync('/dev/null'));
  const data = Buffer.alloc(BATCH);
  server.on('connection', (socket) => {
    let left = Math.ceil(COUNT / BATCH);
    const next = () => {
      for (let i = 0; i < 16 && left > 0; i++, left--) socket.write({ data, fds });
    };
    socket.on('data', next);
    socket.on('end', () => process.exit());
    socket.on('error', () => process.exit());
    next();
  });
  server.listen(name, () => spawn(process.execPath, [__filename, count, batch, name], { stdio: ['ignore', 1, 2] }));
}

function receive() {
  let came = 0;
  let began;
  const socket = new USocket({ path: file });
  socket.on('fds', (fds) => {
    began ??= performance.now();
    for (const fd of fds) fs.closeSync(fd);
    const groups = Math.floor(came / (16 * BATCH));
    came += fds.length;
    if (Math.floor(came / (16 * BATCH)) > groups) socket.write(Buffer.alloc(1));
    if (came < COUNT) return;
    console.log(JSON.stringify({ descriptorsPerSecond: (came / (performance.now() - began)) * 1000 }));
    process.exit();
  });
  socket.on('connected', () => socket.resume());
}

if (file === undefined) {
  send();
} else {
  receive();
}
