'use strict';

// What the manual of AnyEvent::FDpasser begins with: a parent passes a descriptor to its
// child, which writes to it; here, the write end of a pipe.
//
//   node examples/fd_passer.js

const { spawn } = require('node:child_process');
const { DescriptorPasser, socketpair } = require('pipewright/descriptors');

async function parent() {
  const passer = new DescriptorPasser();
  spawn(process.execPath, [__filename, 'child'], { stdio: ['ignore', 'inherit', 'inherit', passer.childFd] });
  passer.parent();

  const [ours, theirs] = socketpair();
  await passer.send(theirs); // Sent, and closed here.
  for await (const chunk of ours.toSocket()) process.stdout.write(`the child says: ${chunk}`);
  passer.close();
}

async function child() {
  const passer = new DescriptorPasser({ socket: 3 });
  const descriptor = await passer.receive();
  descriptor.toSocket().end('hello over a descriptor that I was passed\n');
  passer.close();
}

if (process.argv[2] === 'child') {
  child();
} else {
  parent();
}
