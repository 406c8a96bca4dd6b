'use strict';

// kill(signal, { tree: true }) that fails in the middle: nobody stays stopped and
// it is told why.

const { once } = require('node:events');
const fs = require('node:fs');
const { constants } = require('node:os');

const { spawn } = require('../../lib/child_process');
const { runFixture } = require('../helpers/child');
const { closing } = require('../helpers/closing');
const { gone, stateOf } = require('../helpers/children');

const TREE = "sh -c 'sleep 61 & echo $!; wait' & sh -c 'sleep 62 & echo $!; wait' & echo $$; wait";

/** A shell with children and grandchildren: the child, and pids of it and of the grandchildren. */
async function tree() {
  const child = spawn('sh', ['-c', TREE]);
  const pids = [];
  child.stdout.setEncoding('utf8');
  while (pids.length < 3) {
    const [chunk] = await once(child.stdout, 'data');
    pids.push(...chunk.trim().split('\n').map(Number));
  }
  closing(async () => {
    child.kill('SIGKILL', { tree: true });
    await Promise.all(pids.map(gone));
  });
  return { child, pids };
}

const noDescriptor = (syscall) =>
  Object.assign(new Error(`EMFILE, ${syscall}`), { code: 'EMFILE', errno: -24, syscall });

/** Calls `call` while no look at a file of `paths` succeeds but the first `successes`. */
function withoutDescriptors(paths, successes, call) {
  let left = successes;
  const spies = ['readdirSync', 'readFileSync'].map((name) => {
    const original = fs[name];
    return jest.spyOn(fs, name).mockImplementation((...args) => {
      if (!paths.includes(args[0]) || left-- > 0) return original(...args);
      throw noDescriptor(name);
    });
  });
  try {
    return call();
  } finally {
    for (const spy of spies) spy.mockRestore();
  }
}

test.each(['SIGKILL', 'SIGTERM', 'SIGSTOP'])('%s that fails leaves all as they were', async (signal) => {
  const { child, pids } = await tree();
  const paths = ['/proc', ...pids.map((pid) => `/proc/${pid}/stat`)];
  const errors = [];
  child.on('error', (err) => errors.push(err.code));
  let failures = 0;
  while (!withoutDescriptors(paths, failures, () => child.kill(signal, { tree: true }))) {
    failures++;
    expect(errors).toEqual(Array(failures).fill('EMFILE'));
    await new Promise(setImmediate);
    for (const pid of pids) expect('RSD').toContain(stateOf(pid));
  }
  expect(failures).toBeGreaterThan(2 * pids.length);
});

test.each(['EPERM', 'EINVAL'])('a signal that the child cannot be sent (%s) leaves all running', async (code) => {
  const { child, pids } = await tree();
  const handle = child._handle;
  const { kill } = Object.getPrototypeOf(handle);
  handle.kill = (number) =>
    number === constants.signals.SIGWINCH ? -constants.errno[code] : kill.call(handle, number);
  const failed = new Promise((resolve) => child.once('error', resolve));
  const attempt = () => child.kill('SIGWINCH', { tree: true });
  if (code === 'EINVAL') expect(attempt).toThrow(expect.objectContaining({ code, syscall: 'kill' }));
  else expect([attempt(), await failed]).toEqual([false, expect.objectContaining({ code, syscall: 'kill' })]);
  await new Promise(setImmediate);
  for (const pid of pids) expect('RSD').toContain(stateOf(pid));
});

test('with a full table of descriptors it fails, and succeeds when there is room', async () => {
  const { stdout, stderr } = await runFixture('child_process/kill_full_table.js', [], { openFiles: 64 });
  expect(stderr).toBe('');
  expect(JSON.parse(stdout)).toEqual({
    isSent: [false, true],
    errors: ['EMFILE'],
    answer: 'alive\n',
    signal: 'SIGTERM',
  });
});
