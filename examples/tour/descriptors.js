'use strict';

// Descriptors on their way: a file, a listener and a connection travel to a Python
// process and to a worker thread; a receiver with a full table loses none.

const assert = require('node:assert/strict');
const { spawn } = require('node:child_process');
const { once } = require('node:events');
const fs = require('node:fs');
const path = require('node:path');
const { text } = require('node:stream/consumers');
const { Worker } = require('node:worker_threads');
const { Descriptor, DescriptorPasser, socketpair, toDescriptor } = require('pipewright/descriptors');
const net = require('pipewright/net');

const { inTemporaryFolder } = require('./tools.js');

const COUNT = 100_000;

module.exports = (say) =>
  inTemporaryFolder(async (folder) => {
    await toPython(folder, say);
    await toThread(folder, say);
    await many(say);
  });

async function listenAt(file) {
  const server = net.createServer({ pauseOnConnect: true });
  await once(server.listen(file), 'listening');
  return server;
}

async function toPython(folder, say) {
  const passer = new DescriptorPasser();
  const program = path.join(__dirname, 'programs/serve_passed.py');
  const python = spawn('python3', [program], { stdio: ['ignore', 'pipe', 'inherit', passer.childFd] });
  const [output, exited] = [text(python.stdout), once(python, 'exit')];
  passer.parent();

  const note = path.join(folder, 'note');
  await passer.send(new Descriptor(fs.openSync(note, 'w')));
  say(`a file open for writing went to Python, process ${python.pid}`);

  const file = path.join(folder, 'python.sock');
  const server = await listenAt(file);
  await passer.send(server);
  assert.equal(server.listening, false);
  say('a listening socket went after it, and is closed here');
  const accepted = await text(net.connect(file));
  assert.equal(accepted, 'accepted by Python');
  say(`a client that connects to it gets: ${accepted}`);

  const [ours, theirs] = socketpair();
  await passer.send(theirs);
  const spoken = await text(ours.toSocket());
  assert.equal(spoken, 'spoken by Python');
  say(`a connection went too; what comes over it: ${spoken}`);

  const pipe = await passer.receive();
  assert.equal(pipe.type, 'pipe');
  const returned = await text(pipe.toSocket());
  assert.equal(returned, 'a pipe of Python');
  say(`and Python passed back the end of a pipe, in which is: ${returned}`);
  assert.deepEqual(await exited, [0, null]);
  assert.equal(await output, '');
  assert.equal(fs.readFileSync(note, 'utf8'), 'written by Python');
  say(`in the file is now: ${fs.readFileSync(note, 'utf8')}`);
  passer.close();
}

async function toThread(folder, say) {
  const thread = new Worker(path.join(__dirname, 'programs/serve_tokens.js'));
  const give = async (what, descriptor) => {
    const answer = once(thread, 'message');
    thread.postMessage({ what, token: descriptor.transfer() });
    return (await answer)[0];
  };
  const note = path.join(folder, 'note');
  assert.equal(await give('file', new Descriptor(fs.openSync(note))), 'written by Python');
  say(`the same file, moved to thread ${thread.threadId}, reads the same there`);

  const file = path.join(folder, 'thread.sock');
  const server = await listenAt(file);
  await give('listener', toDescriptor(server));
  const served = await text(net.connect(file));
  assert.equal(served, `served by thread ${thread.threadId}`);
  say(`a listener, moved there; its client is ${served}`);

  const acceptor = await listenAt(path.join(folder, 'here.sock'));
  const client = net.connect(acceptor.address());
  const [socket] = await once(acceptor, 'connection');
  await give('connection', toDescriptor(socket));
  assert.equal(await text(client), `served by thread ${thread.threadId}`);
  say('a connection that was accepted here, moved there, is served too');
  acceptor.close();
  await once(acceptor, 'close');
  await thread.terminate();
}

async function many(say) {
  const [sender, receiver] = DescriptorPasser.pair({ batch: 100 });
  const fd = fs.openSync('/dev/null');
  const began = performance.now();
  let sent = 0;
  for (let i = 0; i < COUNT; i++) {
    sender.send(fd, (error) => {
      assert.equal(error, null);
      sent += 1;
    });
  }
  let received = 0;
  for await (const descriptor of receiver) {
    descriptor.close();
    received += 1;
    if (received === COUNT) break;
  }
  const seconds = (performance.now() - began) / 1000;
  assert.equal(sent, COUNT);
  fs.closeSync(fd);
  sender.close();
  receiver.close();
  say(`${COUNT} descriptors within this process, 100 a message: ${Math.round(COUNT / seconds)} a second`);
}
