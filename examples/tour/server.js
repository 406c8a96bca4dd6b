'use strict';

// What a server over a path needs and node:net does not have: a mode that is in force
// from the first moment, a dead server's socket taken over, callers known and chosen.

const assert = require('node:assert/strict');
const { once } = require('node:events');
const fs = require('node:fs');
const path = require('node:path');
const { Worker } = require('node:worker_threads');
const net = require('pipewright/net');

const { describeMode, inTemporaryFolder, startProgram } = require('./tools.js');

const MIN_LISTENS = 500;
const MIN_LOOKS = 100;

module.exports = (say) =>
  inTemporaryFolder(async (folder) => {
    await modeInForce(path.join(folder, 'private.sock'), say);
    await staleTakeover(path.join(folder, 'daemon.sock'), say);
    await whoIsCalling(path.join(folder, 'control.sock'), say);
  });

async function listen(server, options) {
  await once(server.listen(options), 'listening');
  return server;
}

async function close(server) {
  server.close();
  await once(server, 'close');
}

// Under umask 0, where node:net makes a file that everybody may write to. A thread looks
// at the file without pause while it comes and goes, until it has seen enough of it.
async function modeInForce(socketPath, say) {
  const looks = new Int32Array(new SharedArrayBuffer(4));
  const workerData = { file: socketPath, looks };
  const umask = process.umask(0);
  try {
    const watcher = new Worker(path.join(__dirname, 'programs/mode_watcher.js'), { workerData });
    await once(watcher, 'message');
    let listens = 0;
    while (listens < MIN_LISTENS || Atomics.load(looks, 0) < MIN_LOOKS) {
      await close(await listen(net.createServer(), { path: socketPath, mode: 0o600 }));
      listens += 1;
    }
    watcher.postMessage('enough');
    const [[seen]] = await Promise.all([once(watcher, 'message'), once(watcher, 'exit')]);
    const modes = [...seen].map((mode) => `0${mode.toString(8)}`);
    say(`umask 0, mode 0600, ${listens} listens: a thread that watched saw the file ${looks[0]} times, as ${modes}`);
    assert.deepEqual(modes, ['0600']);
  } finally {
    process.umask(umask);
  }
}

async function staleTakeover(socketPath, say) {
  const options = { path: socketPath, replaceStale: true };
  const doomed = startProgram('doomed_server.js', socketPath);
  say(`process ${doomed.child.pid} ${await doomed.line()}`);
  const [early] = await once(net.createServer().listen(options), 'error');
  assert.equal(early.code, 'EADDRINUSE');
  say(`while it lives, replaceStale does not help: ${early.message}`);

  doomed.child.kill('SIGKILL');
  assert.deepEqual(await doomed.exited, [null, 'SIGKILL']);
  assert.ok(fs.lstatSync(socketPath).isSocket());
  const [refused] = await once(net.createServer().listen(socketPath), 'error');
  assert.equal(refused.code, 'EADDRINUSE');
  say('killed with SIGKILL: its file is still there, and a plain listen still gets EADDRINUSE');

  const server = await listen(
    net.createServer((socket) => socket.end(`process ${process.pid}`)),
    options,
  );
  const [answer] = await once(net.connect(socketPath), 'data');
  assert.equal(String(answer), `process ${process.pid}`);
  say(`with replaceStale this process has taken it over: ${describeMode(socketPath)}, ${answer} answers`);
  await close(server);
  assert.equal(fs.existsSync(socketPath), false);
}

async function whoIsCalling(socketPath, say) {
  const server = await listen(
    net.createServer((socket) => socket.end(JSON.stringify(socket.peerCredentials()))),
    { path: socketPath, mode: 0o600 },
  );
  const caller = startProgram('caller.js', socketPath);
  const peer = JSON.parse(await caller.line());
  await caller.exited;
  assert.equal(peer.pid, caller.child.pid);
  assert.equal(peer.uid, process.getuid());
  assert.equal(peer.gid, process.getgid());
  say(`process ${caller.child.pid} calls; the kernel says: pid ${peer.pid}, uid ${peer.uid}, gid ${peer.gid}`);
  await close(server);

  const allowPeer = (candidate) => candidate.pid === process.pid;
  const strict = await listen(
    net.createServer({ allowPeer }, (socket) => socket.end('welcome')),
    { path: socketPath },
  );
  const dropped = once(strict, 'drop');
  const stranger = startProgram('caller.js', socketPath);
  const [{ peer: refused }] = await dropped;
  assert.equal(refused.pid, stranger.child.pid);
  assert.equal(await stranger.line(), 'nothing');
  const [answer] = await once(net.connect(socketPath), 'data');
  assert.equal(String(answer), 'welcome');
  say(`with allowPeer for this process alone, process ${refused.pid} gets nothing, this one '${answer}'`);
  await close(strict);
}
