'use strict';

// Descriptors to another process over a DescriptorPasser, BATCH a message, some
// thousands queued at a time. The other closes each.
// node bench/passing/pipewright.js COUNT BATCH; prints { descriptorsPerSecond }.

const { spawn } = require('node:child_process');
const fs = require('node:fs');
const { DescriptorPasser } = require('../../lib/descriptors');

const [count, batch, isChild] = process.argv.slice(2).map(Number);
const QUEUED = 4000;

function send() {
  const passer = new DescriptorPasser({ batch });
  spawn(process.execPath, [__filename, count, batch, 1].map(String), { stdio: ['ignore', 1, 2, passer.childFd] });
  passer.parent();
  const fd = fs.openSync('/dev/null');
  let started = 0;
  let underWay = 0;
  const onSent = (error) => {
    if (error) throw error;
    underWay -= 1;
    if (underWay === QUEUED / 2 || underWay === 0) fill();
  };
  function fill() {
    while (underWay < QUEUED && started < count) {
      started += 1;
      underWay += 1;
      passer.send(fd, onSent);
    }
    if (started === count && underWay === 0) passer.close();
  }
  fill();
}

async function receive() {
  const passer = new DescriptorPasser({ socket: 3 });
  let came = 0;
  let began;
  for await (const descriptor of passer) {
    began ??= performance.now();
    descriptor.close();
    if (++came === count) break;
  }
  console.log(JSON.stringify({ descriptorsPerSecond: (count / (performance.now() - began)) * 1000 }));
  passer.close();
}

if (isChild) {
  receive();
} else {
  send();
}
