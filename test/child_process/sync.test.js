'use strict';

const { execFileSync, execSync, spawnSync } = require('../../lib/child_process');
const { closing } = require('../helpers/closing');
const { ENGINES, SHELL_RUNS_MS } = require('../helpers/children');

const sh = (text, options) => spawnSync('sh', ['-c', text], { encoding: 'utf8', ...options });

describe.each(ENGINES)('with the engine %s', (engine) => {
  test('spawnSync() tells all', () => {
    const result = sh('cat; echo err >&2; exit 3', { engine, input: 'in' });
    expect(result).toMatchObject({
      status: 3,
      signal: null,
      stdout: 'in',
      stderr: 'err\n',
      output: [null, 'in', 'err\n'],
    });
    expect(result.pid).toBeGreaterThan(0);
    expect(Object.keys(result)).not.toContain('error');
  });

  test('a signal', () => {
    expect(sh('kill -KILL $$', { engine })).toMatchObject({ status: null, signal: 'SIGKILL' });
  });

  test('a timeout', () => {
    const result = spawnSync('sleep', ['60'], { engine, timeout: 30 });
    expect(result).toMatchObject({
      status: null,
      signal: 'SIGTERM',
      error: { code: 'ETIMEDOUT', syscall: 'spawnSync sleep' },
    });
  });

  test('a program that is not there', () => {
    const result = spawnSync('/nonexistent/program', ['a'], { engine });
    expect(result).toMatchObject({ pid: 0, status: null, signal: null, output: null, stdout: null, stderr: null });
    expect(result.error).toMatchObject({
      code: 'ENOENT',
      syscall: 'spawnSync /nonexistent/program',
      path: '/nonexistent/program',
      spawnargs: ['a'],
    });
  });
});

test('much input and output at once', () => {
  const input = Buffer.alloc(8_000_000, 'x');
  const { stdout } = spawnSync('cat', { input, maxBuffer: Infinity });
  expect(stdout.equals(input)).toBe(true);
});

test('input that nobody reads', () => {
  const result = spawnSync('true', { input: Buffer.alloc(1_000_000) });
  expect(result.status).toBe(0);
});

test('input for another descriptor', () => {
  expect(sh('cat <&3', { stdio: ['ignore', 'pipe', 'pipe', { input: 'third' }] }).stdout).toBe('third');
});

const bytes = new Uint8Array(Buffer.from('text'));

test.each([['text'], [Buffer.from('text')], [bytes], [new DataView(bytes.buffer)]])('input %p', (input) => {
  expect(sh('cat', { input }).stdout).toBe('text');
});

test('maxBuffer', () => {
  const result = spawnSync('head', ['-c', '100000', '/dev/zero'], { maxBuffer: 1000 });
  expect(result.error.code).toBe('ENOBUFS');
  expect(result.stdout.length).toBeGreaterThanOrEqual(1000);
});

test('forceKillAfter', () => {
  const result = sh("trap '' TERM; exec sleep 60", { timeout: SHELL_RUNS_MS, forceKillAfter: 20 });
  expect(result).toMatchObject({ signal: 'SIGKILL', error: { code: 'ETIMEDOUT' } });
});

test('the resources that it used', () => {
  expect(sh('true').resourceUsage.maxRSS).toBeGreaterThan(100_000);
});

test('error.step and options beyond Node', () => {
  expect(spawnSync('true', { cwd: '/nonexistent' }).error.step).toBe('chdir');
  expect(sh('umask', { umask: 0o27 }).stdout).toBe('0027\n');
});

test("stdio 'ipc' is refused", () => {
  const stdio = ['pipe', 'pipe', 'pipe', 'ipc'];
  expect(() => spawnSync('true', { stdio })).toThrow(expect.objectContaining({ code: 'ERR_IPC_SYNC_FORK' }));
});

test('execSync() and execFileSync() give stdout', () => {
  expect(execSync('echo a; echo b', { encoding: 'utf8' })).toBe('a\nb\n');
  expect(execFileSync('echo', ['a  b'])).toEqual(Buffer.from('a  b\n'));
});

test.each([
  ['execSync', () => execSync('echo some; exit 3', { stdio: 'pipe' }), 'Command failed: echo some; exit 3'],
  ['execFileSync', () => execFileSync('sh', ['-c', 'echo some; exit 3']), 'Command failed: sh -c echo some; exit 3'],
])('%s() throws with all that is known', (_, run, message) => {
  expect(run).toThrow(expect.objectContaining({ message, status: 3, signal: null, stdout: Buffer.from('some\n') }));
});

test('stderr of execSync() goes to ours', () => {
  const write = jest.spyOn(process.stderr, 'write').mockReturnValue(true);
  closing(() => write.mockRestore());
  execSync('echo here >&2', { encoding: 'utf8' });
  expect(write.mock.calls).toEqual([['here\n']]);
  execSync('echo there >&2', { encoding: 'utf8', stdio: 'pipe' });
  expect(write).toHaveBeenCalledTimes(1);
});
