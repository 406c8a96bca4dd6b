'use strict';

const { promisify } = require('node:util');

const { exec, execFile } = require('../../lib/child_process');

const call = (fn, ...args) => new Promise((resolve) => fn(...args, (...result) => resolve(result)));

test('exec() gives what the command line wrote', async () => {
  expect(await call(exec, 'echo out; echo err >&2')).toEqual([null, 'out\n', 'err\n']);
});

test('execFile() gives what the program wrote', async () => {
  expect(await call(execFile, 'echo', ['a  b'])).toEqual([null, 'a  b\n', '']);
});

test('a failure tells code, command and stderr', async () => {
  const [err, stdout] = await call(exec, 'echo some; echo why >&2; exit 3');
  expect(err).toMatchObject({ code: 3, killed: false, signal: null, cmd: 'echo some; echo why >&2; exit 3' });
  expect(err.message).toBe('Command failed: echo some; echo why >&2; exit 3\nwhy\n');
  expect(stdout).toBe('some\n');
});

test('a program that is not there', async () => {
  const [err, stdout, stderr] = await call(execFile, '/nonexistent/program', ['a']);
  expect(err).toMatchObject({ code: 'ENOENT', cmd: '/nonexistent/program a', path: '/nonexistent/program' });
  expect([stdout, stderr]).toEqual(['', '']);
});

test('timeout', async () => {
  const [err] = await call(execFile, 'sleep', ['60'], { timeout: 20 });
  expect(err).toMatchObject({ code: null, killed: true, signal: 'SIGTERM', cmd: 'sleep 60' });
});

test.each(['stdout', 'stderr'])('maxBuffer of %s', async (name) => {
  const redirect = name === 'stdout' ? '' : ' >&2';
  const [err, ...output] = await call(exec, `echo hello world${redirect}`, { maxBuffer: 5 });
  expect(err).toMatchObject({ code: 'ERR_CHILD_PROCESS_STDIO_MAXBUFFER', name: 'RangeError' });
  expect(err.message).toBe(`${name} maxBuffer length exceeded`);
  expect(output).toContain('hello');
});

test('one MiB is the default of maxBuffer', async () => {
  const [err] = await call(exec, 'head -c 1048577 /dev/zero');
  expect(err.code).toBe('ERR_CHILD_PROCESS_STDIO_MAXBUFFER');
  const [none, stdout] = await call(exec, 'head -c 1048576 /dev/zero');
  expect([none, stdout.length]).toEqual([null, 1048576]);
});

test.each([undefined, null, 'buffer', 'no-encoding'])('encoding %p gives Buffers', async (encoding) => {
  const [, stdout, stderr] = await call(exec, 'echo x', { encoding });
  expect([stdout, stderr]).toEqual([Buffer.from('x\n'), Buffer.alloc(0)]);
});

test('characters are not cut', async () => {
  const [, stdout] = await call(execFile, process.execPath, ['-p', '"中文".repeat(30000)']);
  expect(stdout).toBe(`${'中文'.repeat(30000)}\n`);
});

test('stdio and detached are passed over, as in Node', async () => {
  expect(await call(execFile, 'echo', ['x'], { stdio: 'ignore', detached: true, argv0: 'y' })).toEqual([
    null,
    'x\n',
    '',
  ]);
});

test.each([
  ['exec', exec, ['echo x']],
  ['execFile', execFile, ['echo', ['x']]],
])('promisify(%s)', async (name, fn, args) => {
  const promise = promisify(fn)(...args);
  expect(promise.child.pid).toBeGreaterThan(0);
  expect(await promise).toEqual({ stdout: 'x\n', stderr: '' });
  expect(promisify(fn).name).toBe(name);
});

test('a rejected promise has what was written', async () => {
  await expect(promisify(exec)('echo a; echo b >&2; exit 1')).rejects.toMatchObject({
    code: 1,
    stdout: 'a\n',
    stderr: 'b\n',
  });
});

test('options beyond Node arrive', async () => {
  expect(await call(exec, 'umask', { umask: 0o77 })).toEqual([null, '0077\n', '']);
});
