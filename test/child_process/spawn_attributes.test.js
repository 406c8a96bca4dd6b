'use strict';

// What a child is born with, beyond Node.

const { once } = require('node:events');
const path = require('node:path');
const { Worker } = require('node:worker_threads');

const { spawn } = require('../../lib/child_process');
const { closing } = require('../helpers/closing');
const { runFixture } = require('../helpers/child');
const { ended, inheritableDescriptors } = require('../helpers/children');
const { temporaryFolder } = require('../helpers/socket_path');

const asRoot = process.getuid() === 0 ? test : test.skip;

async function output(text, options) {
  const { stdout } = await ended(closing(spawn('sh', ['-c', text], options)));
  return stdout.trim();
}

test.each([
  [0o027, '0027'],
  ['077', '0077'],
  [0, '0000'],
])('umask: %p', async (umask, expected) => {
  const before = process.umask();
  expect(await output('umask', { umask })).toBe(expected);
  expect(process.umask()).toBe(before);
});

test.each([
  [{ nofile: [20, 30] }, 'ulimit -Sn; ulimit -Hn', '20\n30'],
  [{ nofile: 25 }, 'ulimit -Sn; ulimit -Hn', '25\n25'],
  [{ core: 0, cpu: 7 }, 'ulimit -c; ulimit -t', '0\n7'],
  [{ stack: [8192 * 1024, Infinity] }, 'ulimit -Ss', '8192'],
])('rlimits: %j', async (rlimits, text, expected) => {
  expect(await output(text, { rlimits })).toBe(expected);
});

test('a limit on memory is kept', async () => {
  const { code } = await ended(closing(spawn(process.execPath, ['-e', '0'], { rlimits: { as: 64 * 1024 * 1024 } })));
  expect(code).not.toBe(0);
});

test('priority', async () => {
  expect(await output('cut -d" " -f19 /proc/$$/stat', { priority: 7 })).toBe('7');
});

test('processGroup: true makes it the leader of one', async () => {
  const child = closing(spawn('sh', ['-c', 'cut -d" " -f5 /proc/$$/stat'], { processGroup: true }));
  expect((await ended(child)).stdout).toBe(`${child.pid}\n`);
});

test('processGroup: a number joins one', async () => {
  const leader = closing(spawn('cat', { processGroup: true }));
  expect(await output('cut -d" " -f5 /proc/$$/stat', { processGroup: leader.pid })).toBe(String(leader.pid));
  leader.stdin.end();
  await ended(leader);
});

test('noNewPrivileges', async () => {
  expect(await output('sed -n /NoNewPrivs/p /proc/self/status', { noNewPrivileges: true })).toBe('NoNewPrivs:\t1');
});

// The descriptors of the shell itself: it has none for the folder any more when it looks
// which of them are there.
const DESCRIPTORS = 'for each in /proc/$$/fd/*; do [ -h "$each" ] && echo "${each##*/}"; done; true';

test.each([true, false])('closeDescriptors: %p leaves the child exactly what it says', async (closeDescriptors) => {
  const list = (await output(DESCRIPTORS, { closeDescriptors })).split('\n').map(Number);
  const expected = [0, 1, 2, ...(closeDescriptors ? [] : inheritableDescriptors())];
  expect(list.sort((a, b) => a - b)).toEqual(expected);
});

test('a child with parentDeathSignal dies with its parent', async () => {
  const { stdout, code } = await runFixture('child_process/dies_with_parent.js');
  expect(code).toBe(0);
  expect(stdout).toBe('the child has ended\n');
});

test('parentDeathSignal throws in a worker thread', async () => {
  const lib = JSON.stringify(path.join(__dirname, '../../lib/child_process'));
  const code = `
    const { parentPort } = require('node:worker_threads');
    try { require(${lib}).spawn('true', [], { parentDeathSignal: 'SIGKILL' }); }
    catch (err) { parentPort.postMessage(err.code); }`;
  const worker = closing(new Worker(code, { eval: true }));
  expect(await once(worker, 'message')).toEqual(['ERR_PIPEWRIGHT_MAIN_THREAD_ONLY']);
});

describe('users and groups', () => {
  asRoot('numbers', async () => {
    expect(await output('id -u; id -g', { uid: 1, gid: 2 })).toBe('1\n2');
  });

  asRoot('names', async () => {
    expect(await output('id -un; id -gn', { uid: 'daemon', gid: 'bin' })).toBe('daemon\nbin');
  });

  asRoot('supplementary groups, by number and by name', async () => {
    expect(await output('id -G', { uid: 1, gid: 1, groups: [7, 'bin'] })).toBe('1 2 7');
  });

  asRoot('without groups there are none but its own', async () => {
    expect(await output('id -G', { uid: 1, gid: 1 })).toBe('1');
  });

  test('one may name oneself', async () => {
    const [uid, gid] = [process.getuid(), process.getgid()];
    expect(await output('id -u; id -g', { uid, gid })).toBe(`${uid}\n${gid}`);
  });
});

describe('error.step names what failed', () => {
  const folder = () => temporaryFolder();
  test.each([
    ['exec', () => ['/nonexistent/program', {}], 'ENOENT'],
    ['chdir', () => ['true', { cwd: '/nonexistent' }], 'ENOENT'],
    ['exec', () => [folder(), {}], 'EACCES'],
  ])('%s', async (step, call, code) => {
    const [file, options] = call();
    const child = spawn(file, [], options);
    const [err] = await once(child, 'error');
    expect(err).toMatchObject({ code, step, syscall: `spawn ${file}`, path: file, spawnargs: [] });
    expect(child.pid).toBeUndefined();
    await once(child, 'close');
  });

  test.each([
    ['rlimits', { rlimits: { nofile: 2 ** 40 } }, 'EPERM'],
    ['processGroup', { processGroup: 2 ** 22 - 1 }, 'EPERM'],
  ])('%s, thrown', (step, options, code) => {
    expect(() => spawn('true', [], options)).toThrow(expect.objectContaining({ step, code, syscall: 'spawn' }));
  });
});
