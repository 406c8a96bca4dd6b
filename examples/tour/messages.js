'use strict';

// Messages with descriptors: a channel to a Python process, and a child that is plain Node,
// without this package: of another version, if one is at hand.

const assert = require('node:assert/strict');
const { spawn } = require('node:child_process');
const { once } = require('node:events');
const fs = require('node:fs');
const path = require('node:path');
const { text } = require('node:stream/consumers');
const { Channel } = require('pipewright/channel');
const { fork } = require('pipewright/child_process');
const { Descriptor, socketpair } = require('pipewright/descriptors');
const net = require('pipewright/net');

const { inTemporaryFolder } = require('./tools.js');

const COUNT = 50_000;

module.exports = (say) =>
  inTemporaryFolder(async (folder) => {
    await toPython(folder, say);
    await toPlainNode(folder, say);
    await many(say);
  });

async function toPython(folder, say) {
  const [ours, theirs] = socketpair();
  const program = path.join(__dirname, '../channel_peer.py');
  const python = spawn('python3', [program], { stdio: ['ignore', 'inherit', 'inherit', theirs.fd] });
  const exited = once(python, 'exit');
  theirs.close();
  const channel = new Channel(ours);

  const [greeting, descriptors] = await once(channel, 'message');
  assert.deepEqual(greeting, { hello: 'from Python' });
  assert.equal(descriptors.length, 1);
  descriptors[0].close();
  say(`Python, process ${python.pid}, says hello over a channel, and sends its standard input along`);

  const file = path.join(folder, 'note');
  fs.writeFileSync(file, 'what the file holds');
  const { message, descriptors: pipes } = await channel.request(
    { read: 'this' },
    { descriptors: [new Descriptor(fs.openSync(file))] },
  );
  const answer = await text(pipes[0].toSocket());
  assert.deepEqual([message, answer], [{ got: { read: 'this' } }, 'what the file holds']);
  say(`a request with an open file is answered with a pipe, in which is: ${answer}`);

  await channel.close();
  assert.deepEqual(await exited, [0, null]);
}

async function toPlainNode(folder, say) {
  const execPath = otherNode();
  const child = fork(path.join(__dirname, 'programs/plain_child.js'), { execPath, execArgv: [] });
  const closed = once(child, 'close');
  const [{ version }] = await once(child, 'message');
  say(`a plain child of Node ${version} (this is ${process.versions.node}), process ${child.pid}`);

  const server = net.createServer();
  await once(server.listen(path.join(folder, 'forked.sock')), 'listening');
  await new Promise((resolve, reject) => {
    child.send('serve', server, (error) => (error ? reject(error) : resolve()));
  });
  const client = net.connect(server.address());
  server.close();
  const served = await text(client);
  assert.equal(served, `served by ${child.pid}`);
  say(`it was sent our server, and has it when send() calls back; a client is ${served}`);

  const [before, handle] = await sentBack(child);
  assert.equal(before, 'yours');
  assert.equal(await text(handle), 'through a pipe of the child');
  say('what it sends back, a socket, arrives as a socket of ours');
  child.disconnect();
  assert.deepEqual(await closed, [0, null]);
}

async function sentBack(child) {
  const answer = once(child, 'message');
  child.send('give');
  return answer;
}

// One of those that scripts/nodes.js has fetched for the tests.
function otherNode() {
  const cache = path.join(__dirname, '../../node_modules/.cache/nodes');
  const mine = process.versions.node.split('.')[0];
  const versions = fs.existsSync(cache) ? fs.readdirSync(cache) : [];
  const other = versions.find((version) => version.split('.')[0] !== mine);
  const program = path.join(cache, other ?? '', 'node_modules/node/bin/node');
  return other !== undefined && fs.existsSync(program) ? program : process.execPath;
}

async function many(say) {
  const [ours, theirs] = socketpair();
  const echo = new Channel(theirs);
  echo.onRequest((message) => message);
  const channel = new Channel(ours);
  const began = performance.now();
  for (let sent = 0; sent < COUNT; sent += 100) {
    const replies = await Promise.all(Array.from({ length: 100 }, (_, i) => channel.request({ number: sent + i })));
    replies.forEach(({ message }, i) => assert.equal(message.number, sent + i));
  }
  const seconds = (performance.now() - began) / 1000;
  await channel.close();
  say(`${COUNT} requests within this process, each compared with its reply: ${Math.round(COUNT / seconds)} a second`);
}
