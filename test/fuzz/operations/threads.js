'use strict';

// Worker threads that do the same, and are terminated at any moment.

const path = require('node:path');
const { isMainThread, parentPort, Worker } = require('node:worker_threads');
const { Descriptor } = require('../../../lib/descriptors');

const MOST = 3;

function install(run) {
  run.kind('thread', (worker) => worker.terminate());
}

function start(run) {
  const open = run.all('thread').filter(({ threadId }) => threadId >= 0);
  if (open.length >= MOST) return;
  const workerData = { seed: run.random(2 ** 31), folder: run.folder };
  const worker = new Worker(path.join(__dirname, '../batch.js'), { workerData });
  worker.on('error', (error) => run.problem(`a thread died of ${error.stack ?? error}`));
  worker.on('message', ({ problem, token }) => {
    if (problem) run.problem(problem);
    if (token) run.settle('token', null, () => run.add('descriptor', Descriptor.from(token)));
  });
  run.add('thread', worker);
}

// A token that nobody claims is closed at the end of its thread.
function passToken(run) {
  const token = run.pick('token');
  const to = isMainThread ? run.pick('thread') : parentPort;
  if (token && to) to.postMessage({ token });
}

const OPERATIONS = {
  'pass a token': passToken,
  ...(isMainThread && {
    'start a thread': start,
    'start another thread': start,
    'terminate a thread': (run) => run.pick('thread')?.terminate(),
    'stop a thread': (run) => run.pick('thread')?.postMessage({ stop: true }),
  }),
};

module.exports = { OPERATIONS, install };
