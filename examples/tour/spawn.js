'use strict';

// What a child costs its parent, at 1 GB of memory, beside node:child_process; and some
// of what node:child_process cannot do.

const assert = require('node:assert/strict');
const theirs = require('node:child_process');
const { once } = require('node:events');
const path = require('node:path');

const ours = require('pipewright/child_process');

const { inTemporaryFolder } = require('./tools.js');

const GB = 2 ** 30;
const PAGE = 4096;
const ROUNDS = 9;
const LEAST_GAIN = 5; // Times; 200 and more are usual.

module.exports = (say) =>
  inTemporaryFolder(async (folder) => {
    await costOfASpawn(say);
    await whatFailed(say);
    await birthCertificate(folder, say);
    await wholeTree(say);
    await lineByLine(say);
  });

// The event loop stands still while spawn() runs: that is what is measured. A build with
// uv_spawn() on posix_spawn() has nothing to gain, and says so.
async function costOfASpawn(say) {
  const memory = Buffer.alloc(GB);
  for (let at = 0; at < memory.length; at += PAGE) memory[at] = 1;
  const times = { theirs: [], ours: [] };
  for (let round = 0; round < ROUNDS; round++) {
    times.theirs.push(await blockedFor(theirs));
    times.ours.push(await blockedFor(ours));
  }
  const [node, pipewright] = [median(times.theirs), median(times.ours)];
  const gigabytes = (process.memoryUsage().rss / GB).toFixed(1);
  say(`spawn('true') in a process of ${gigabytes} GB, the event loop blocked, median of ${ROUNDS}:`);
  say(`   node:child_process   ${node.toFixed(2)} ms`);
  say(`   pipewright           ${pipewright.toFixed(2)} ms, ${Math.round(node / pipewright)} times less`);
  assert.equal(memory[0], 1);
  assert.ok(node / pipewright > LEAST_GAIN, `only ${(node / pipewright).toFixed(1)} times less`);
}

async function blockedFor({ spawn }) {
  const began = process.hrtime.bigint();
  const child = spawn('true', { stdio: 'ignore' });
  const took = Number(process.hrtime.bigint() - began) / 1e6;
  const [code] = await once(child, 'exit');
  assert.equal(code, 0);
  return took;
}

function median(numbers) {
  return [...numbers].sort((a, b) => a - b)[numbers.length >> 1];
}

async function whatFailed(say) {
  const [err] = await once(ours.spawn('true', { cwd: '/nowhere' }), 'error');
  say(`a folder that is not there: "${err.message}", and error.step says it was ${err.step}`);
  assert.equal(err.step, 'chdir');
}

async function birthCertificate(folder, say) {
  const options = { cwd: folder, umask: 0o077, rlimits: { nofile: 64 }, priority: 5, processGroup: true };
  const { stdout } = await ours.run('sh', ['-c', 'umask; ulimit -n; nice; pwd'], options);
  const [umask, files, priority, cwd] = stdout.split('\n');
  say(`a child born with umask ${umask}, ${files} descriptors, priority ${priority}, in ${path.basename(cwd)}`);
  assert.deepEqual([umask, files, priority], ['0077', '64', '5']);
}

// A shell, with two more processes below it.
async function wholeTree(say) {
  const child = ours.spawn('sh', ['-c', "sh -c 'sleep 60 & echo $!; wait' & wait"], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [line] = await once(child.stdout.setEncoding('utf8'), 'data');
  child.kill('SIGKILL', { tree: true });
  // Its grandchild holds stdout: without `tree` this would not come for a minute.
  await once(child, 'close');
  say(`kill('SIGKILL', { tree: true }) ended ${child.pid} and its grandchild ${line.trim()}`);
  assert.equal(child.signalCode, 'SIGKILL');
}

async function lineByLine(say) {
  const lines = [];
  for await (const text of ours.run('seq', ['3'])) lines.push(text);
  say(`for await (const line of run('seq', ['3'])): ${lines.join(', ')}`);
  assert.deepEqual(lines, ['1', '2', '3']);
  const failed = await ours.run('ls', ['/nowhere']).catch((err) => err);
  for (const text of failed.message.split('\n')) say(text);
  assert.equal(failed.exitCode, 2);
}
