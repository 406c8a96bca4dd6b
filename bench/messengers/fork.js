'use strict';

// A forked child that echoes: `fork` of node:child_process or of pipewright. The child is a plain Node program with
// either.

const { exchangeWithChild, readArguments } = require('./exchange.js');

const isChild = process.env.BENCH_CHILD !== undefined;

function measure(work) {
  const loaded = require(work.module);
  const { fork } = loaded.child_process ?? loaded; // Pipewright has it in a namespace.
  const child = fork(__filename, [], {
    serialization: work.serialization,
    env: { ...process.env, BENCH_CHILD: '1' },
  });
  const onReply = exchangeWithChild(work, child, (message) => child.send(message));
  child.on('message', onReply);
}

if (isChild) {
  process.on('message', (message) => process.send(message));
} else {
  measure(readArguments());
}
