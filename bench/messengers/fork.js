'use strict';

// A forked child that echoes: `fork` of node:child_process or of pipewright. The child is a plain Node program with
// either.

const { readArguments, startExchange } = require('./exchange.js');

const isChild = process.env.BENCH_CHILD !== undefined;

function measure(work) {
  const loaded = require(work.module);
  const { fork } = loaded.child_process ?? loaded; // Pipewright has it in a namespace.
  const child = fork(__filename, [], {
    serialization: work.serialization,
    env: { ...process.env, BENCH_CHILD: '1' },
  });
  const onReply = startExchange(work, {
    send: (message) => child.send(message),
    pid: child.pid,
    end() {
      child.kill('SIGKILL');
      process.exit();
    },
  });
  child.once('exit', (code, signal) => {
    throw new Error(`the child ended with ${signal ?? code}`);
  });
  child.on('message', onReply);
}

if (isChild) {
  process.on('message', (message) => process.send(message));
} else {
  measure(readArguments());
}
