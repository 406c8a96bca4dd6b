'use strict';

// One batch of the fuzz, in a process of its own, which `npm run fuzz` starts:
// batch.js SEED MILLISECONDS. Its worker threads run this file too. Ends by itself, with
// status 0, when nothing was found and everything could be closed.

const fs = require('node:fs');
const { isMainThread, parentPort, workerData, Worker } = require('node:worker_threads');
const { once } = require('node:events');
const { run: runProgram } = require('../../lib/child_process');
const { Descriptor } = require('../../lib/descriptors');
const { snapshot, waitUntilClean, warmUp } = require('../helpers/leaks');
const { Run } = require('./run');

const PARTS = ['net', 'descriptors', 'child_process', 'binding', 'threads'].map((name) =>
  require(`./operations/${name}`),
);
const OPERATIONS = PARTS.flatMap((part) => Object.entries(part.OPERATIONS));
const A_TURN = 12;
const ROUNDS = 10;

async function main(seed, milliseconds) {
  // Only this process is under a sanitizer, not what it starts.
  delete process.env.LD_PRELOAD;
  await warmUp();
  await once(new Worker('', { eval: true }), 'exit');
  const before = snapshot();
  const folder = fs.mkdtempSync('/tmp/fz-');
  const run = begin(seed, folder);
  const deadline = Date.now() + milliseconds;
  await turns(run, () => Date.now() >= deadline);

  run.log('the end');
  await endThreads(run);
  run.closeAll();
  for (const line of await leftOver(before)) run.problem(`left over: ${line}`);
  fs.rmSync(folder, { recursive: true, force: true });
  if (run.problems.length > 0) process.exit(1);
}

async function thread({ seed, folder }) {
  const run = begin(seed, folder);
  let stopped = false;
  parentPort.on('message', ({ stop, token }) => {
    stopped ||= stop === true;
    if (token) run.settle('token', null, () => run.add('descriptor', Descriptor.from(token)));
  });
  await turns(run, () => stopped);
  parentPort.close();
  run.closeAll();
}

function begin(seed, folder) {
  const run = new Run(seed, folder);
  for (const { install } of PARTS) install(run);
  for (const event of ['uncaughtException', 'unhandledRejection']) {
    process.on(event, (error) => {
      if (!run.isOnPurpose(error)) run.problem(`${event}: ${error?.stack ?? String(error)}`);
    });
  }
  if (!isMainThread) run.onProblem = (problem) => parentPort.postMessage({ problem });
  return run;
}

async function turns(run, isOver) {
  while (!isOver()) {
    for (let count = run.random(A_TURN); count > 0; count--) run.step(OPERATIONS);
    if (run.values.chance(50)) globalThis.gc();
    await turn(run.values.chance(4) ? run.random(5) : 0);
  }
}

const turn = (milliseconds = 0) =>
  new Promise((resolve) => (milliseconds === 0 ? setImmediate(resolve) : setTimeout(resolve, milliseconds)));

// Some are asked to stop, and the others terminated.
async function endThreads(run) {
  const open = run.all('thread').filter(({ threadId }) => threadId >= 0);
  await Promise.all(
    open.map(async (worker) => {
      const exited = once(worker, 'exit');
      if (run.values.flag()) worker.postMessage({ stop: true });
      else worker.terminate();
      await exited;
    }),
  );
}

// A child of a thread that was terminated is reaped when another one is spawned.
async function leftOver(before) {
  for (let round = 0; ; round++) {
    const left = await waitUntilClean(before, 500);
    if (left.length === 0 || round === ROUNDS) return left;
    await runProgram('true');
    globalThis.gc();
  }
}

if (isMainThread) main(Number(process.argv[2]), Number(process.argv[3]));
else thread(workerData);
