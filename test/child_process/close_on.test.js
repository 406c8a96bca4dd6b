'use strict';

// Children whose own children hold their stdout open.

const { once } = require('node:events');

const { execFile, exec, spawn, spawnSync } = require('../../lib/child_process');
const { closing } = require('../helpers/closing');

// Leaves a process behind that has its stdout; ends at once.
const LEAVES = 'seq 20000; sleep 60 & echo $! >&2';

function leave(pids) {
  closing(() => pids.trim() && process.kill(Number(pids), 'SIGKILL'));
}

test("closeOn: 'exit': close follows the exit, with all that the child wrote", async () => {
  const child = closing(spawn('sh', ['-c', LEAVES], { closeOn: 'exit' }));
  let stdout = '';
  child.stdout.setEncoding('utf8').on('data', (chunk) => (stdout += chunk));
  child.stderr.setEncoding('utf8').on('data', leave);
  expect(await once(child, 'close')).toEqual([0, null]);
  expect(stdout.split('\n')).toHaveLength(20001);
});

test("closeOn: 'stdio': close waits for the others", async () => {
  const child = closing(spawn('sh', ['-c', 'sleep 60 & echo $!']));
  const close = jest.fn();
  child.on('close', close);
  const [pid] = await once(child.stdout, 'data');
  await (child.exitCode ?? once(child, 'exit'));
  await new Promise(setImmediate);
  expect(close).not.toHaveBeenCalled();
  process.kill(Number(pid), 'SIGKILL');
  await once(child, 'close');
});

test('exec() and execFile() have it', async () => {
  const stdout = await new Promise((resolve, reject) =>
    exec('sleep 60 & echo $!', { closeOn: 'exit' }, (err, text) => (err ? reject(err) : resolve(text))),
  );
  leave(stdout);
  expect(stdout).toMatch(/^\d+\n$/);
  const again = await new Promise((resolve, reject) =>
    execFile('sh', ['-c', 'sleep 60 & echo $!'], { closeOn: 'exit' }, (err, text) =>
      err ? reject(err) : resolve(text),
    ),
  );
  leave(again);
});

test('spawnSync() has it', () => {
  const { status, stdout, stderr } = spawnSync('sh', ['-c', LEAVES], { closeOn: 'exit', encoding: 'utf8' });
  leave(stderr);
  expect(status).toBe(0);
  expect(stdout.split('\n')).toHaveLength(20001);
});

test('a child of the child that goes on writing does not keep it back', async () => {
  const child = closing(spawn('sh', ['-c', '(while :; do echo noise; done) & echo $! >&2'], { closeOn: 'exit' }));
  child.stderr.setEncoding('utf8').on('data', leave);
  child.stdout.resume();
  await once(child, 'close');
});
