'use strict';

const { execFileSync } = require('node:child_process');
const { errno, signals } = require('node:os').constants;
const path = require('node:path');
const { runFixture } = require('../helpers/child');
const { ENGINES } = require('../helpers/children');
const { testNeeding } = require('../helpers/needed_programs');
const { temporaryFolder } = require('../helpers/socket_path');
const { script } = require('../helpers/spawning');
const { CHILDREN } = require('../helpers/stress');

const NOBODY = 65534;
const user = process.getuid() === 0 ? { uid: NOBODY, gid: NOBODY } : {};

async function report(name, args, options) {
  const result = await runFixture(name, args, options);
  return result.stdout === '' ? result : JSON.parse(result.stdout);
}

describe.each(ENGINES)('the %s engine', (engine) => {
  testNeeding('prlimit')('tells EAGAIN at the limit of processes, and goes on below it', async () => {
    const failed = [-errno.EAGAIN, ...(engine === 'vfork' ? ['clone'] : [null])];
    const expected = { failed, succeeded: CHILDREN, left: [0, 0] };
    expect(await report('child_process/spawn_faults.js', [engine, 'nproc', CHILDREN], user)).toEqual(expected);
  });

  test('goes on after a full descriptor table', async () => {
    const { results, ...rest } = await report('child_process/spawn_full_table.js', [engine, CHILDREN], {
      openFiles: 64,
    });
    expect(rest).toEqual({ succeeded: CHILDREN, left: 0, children: '' });
    expect(results[0]).toBe(-errno.EMFILE);
    expect(results.at(-1)).toBe(0);
    expect(results.filter((result) => result !== 0 && result !== -errno.EMFILE)).toEqual([]);
  });
});

testNeeding('prlimit')('the vfork engine tells ENOMEM when memory is out at its first spawn, and goes on', async () => {
  const expected = { failed: [-errno.ENOMEM, 'clone'], succeeded: CHILDREN, left: [0, 0] };
  const execArgv = ['--expose-gc'];
  // Only mmap(2) is to fail: operator new, in any thread, takes from this room, or it ends the process.
  const env = { MALLOC_ARENA_MAX: '1', MALLOC_TOP_PAD_: String(2 ** 24) };
  expect(await report('child_process/spawn_faults.js', ['vfork', 'as', CHILDREN], { execArgv, env })).toEqual(expected);
});

// test/fixtures/child_process/NAME.c as a library to preload.
function preload(name) {
  const file = path.join(temporaryFolder(0o755), 'preload.so');
  execFileSync('cc', [
    '-shared',
    '-fPIC',
    '-pthread',
    '-o',
    file,
    path.join(__dirname, '../fixtures/child_process', `${name}.c`),
  ]);
  // The sanitizers' runtimes are preloaded too, and must come first.
  return { LD_PRELOAD: [process.env.LD_PRELOAD, file].filter(Boolean).join(':') };
}

test('where clone and pidfds are refused, libuv and SIGCHLD do', async () => {
  expect(await report('child_process/spawn_sandboxed.js', [], { env: preload('refuse_clone') })).toEqual({
    asked: -errno.ENOTSUP,
    needed: -errno.ENOTSUP,
    sync: [null, signals.SIGTERM, -errno.ETIMEDOUT],
    started: 0,
    fd: -1,
    killed: 0,
    exit: [null, signals.SIGTERM],
  });
});

describe('a wait that somebody else stole', () => {
  test.each(ENGINES)('still tells the exit, with its code where the kernel keeps it (%s)', async (engine) => {
    const options = JSON.stringify({ ...script('exit 5'), engine });
    const { stdout } = await runFixture('child_process/spawn_native.js', [options], { env: preload('steal_waits') });
    const { code, signal } = JSON.parse(stdout);
    expect(signal).toBe(0);
    expect([5, null]).toContain(code);
  });

  // libuv aborts the process here.
  test('still tells what failed, with the vfork engine', async () => {
    const options = JSON.stringify({ ...script(''), file: '/nonexistent', engine: 'vfork' });
    const { stdout } = await runFixture('child_process/spawn_native.js', [options], { env: preload('steal_waits') });
    expect(JSON.parse(stdout)).toEqual({ error: -errno.ENOENT, step: 'exec' });
  });
});
