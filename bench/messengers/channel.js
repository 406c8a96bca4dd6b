'use strict';

// A child that echoes over pipewright's Channel, at both ends of a socketpair.

const { spawn } = require('node:child_process');
const { exchangeWithChild, readArguments } = require('./exchange.js');

const CHILD_FD = 3;
const isChild = process.env.BENCH_CHILD !== undefined;

function measure(work, { Channel, socketpair }) {
  const [ours, theirs] = socketpair();
  const child = spawn(process.execPath, process.argv.slice(1), {
    stdio: ['ignore', 'inherit', 'inherit', theirs.fd],
    env: { ...process.env, BENCH_CHILD: '1' },
  });
  theirs.close();
  const channel = new Channel(ours, { serialization: work.serialization });
  const onReply = exchangeWithChild(work, child, (message) => channel.send(message));
  channel.on('message', onReply);
}

function echo({ serialization }, { Channel }) {
  const channel = new Channel(CHILD_FD, { serialization });
  channel.on('message', (message) => channel.send(message));
}

const work = readArguments();
const pipewright = require(work.module);
if (isChild) {
  echo(work, pipewright);
} else {
  measure(work, pipewright);
}
