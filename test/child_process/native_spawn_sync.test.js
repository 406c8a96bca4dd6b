'use strict';

const { errno, signals } = require('node:os').constants;
const { closing } = require('../helpers/closing');
const { ENGINES, SHELL_RUNS_MS, stateOf } = require('../helpers/children');
const { spawnSync } = require('../../lib/base/binding');
const { script } = require('../helpers/spawning');

/** Runs a script with 0, 1 and 2 connected; output as text. */
function run(text, { stdio = [-1, -1, -1], pipes = [0, 1, 2], input, ...options } = {}) {
  const result = spawnSync(script(text, options), stdio, pipes, input);
  const output = result.output?.map((bytes) => bytes && bytes.toString()) ?? null;
  return { ...result, output };
}

/** It runs still, or rather sleeps, and is ended after the test. */
function expectAlive(pid) {
  closing(() => process.kill(pid));
  expect(stateOf(pid)).toMatch(/[RSD]/);
}

const OK = { status: 0, signal: null, error: 0, timedOut: false };

describe.each(ENGINES)('with the %s engine', (engine) => {
  test('gives status and output', () => {
    const result = run('echo out; echo err >&2; exit 3', { engine });
    expect(result).toMatchObject({ ...OK, status: 3, output: [null, 'out\n', 'err\n'], errorStep: undefined });
    expect(result.pid).toBeGreaterThan(1);
    expect(result.resourceUsage.maxRSS).toBeGreaterThan(0);
  });

  test('gives the signal', () => {
    expect(run('kill -KILL $$', { engine })).toMatchObject({ status: null, signal: signals.SIGKILL, error: 0 });
  });

  test.each([0, 1, 65_536, 5_000_000])('writes %i bytes of input while it reads as many', (size) => {
    const input = [Buffer.alloc(size, 'x')];
    const { output, ...rest } = run('cat', { engine, input });
    expect(rest).toMatchObject(OK);
    expect(output[1]).toBe(input[0].toString());
  });

  test('ends the input where there is none', () => {
    expect(run('cat; cat <&3', { engine, stdio: [-1, -1, -1, -1], pipes: [0, 1, 3] })).toMatchObject(OK);
  });

  test('writes to and reads from any descriptor', () => {
    const input = [undefined, undefined, undefined, Buffer.from('three')];
    const options = { engine, stdio: Array(5).fill(-1), pipes: [3, 4], input };
    expect(run('cat <&3 >&4', options).output).toEqual([null, null, null, '', 'three']);
  });

  test('tells EPIPE when the child does not read its input', () => {
    const result = run('exec 0<&-; echo done', { engine, input: [Buffer.alloc(1_000_000)] });
    expect(result).toMatchObject({ status: 0, error: -errno.EPIPE, output: [null, 'done\n', ''] });
  });

  test.each([
    ['exec', { file: '/nonexistent' }],
    ['chdir', { cwd: '/nonexistent' }],
  ])('tells the step %s that failed', (step, options) => {
    const result = run('', { engine, ...options });
    expect(result).toMatchObject({ pid: 0, status: null, signal: null, output: null, error: -errno.ENOENT });
    expect(result.errorStep).toBe(engine === 'vfork' ? step : undefined);
  });

  test('kills at the timeout, and keeps what was written until then', () => {
    const result = run('echo before; exec sleep 60', { engine, timeout: SHELL_RUNS_MS });
    expect(result).toMatchObject({
      status: null,
      signal: signals.SIGTERM,
      error: -errno.ETIMEDOUT,
      timedOut: true,
      output: [null, 'before\n', ''],
    });
  });

  test('does not wait for grandchildren after a timeout', () => {
    const { output } = run('sleep 60 & echo $!; sleep 60', { engine, timeout: SHELL_RUNS_MS });
    expectAlive(Number(output[1]));
  });
});

test('waits for a child that takes its time to obey the signal', () => {
  const text = 'trap "echo bye; exit 5" TERM; echo up; while :; do sleep 0.01; done';
  expect(run(text, { timeout: SHELL_RUNS_MS })).toMatchObject({
    status: 5,
    signal: null,
    error: -errno.ETIMEDOUT,
    output: [null, 'up\nbye\n', ''],
  });
});

test('forceKillAfter ends a child that ignores the signal', () => {
  const result = run('trap "" TERM; while :; do sleep 0.01; done', { timeout: SHELL_RUNS_MS, forceKillAfter: 30 });
  expect(result).toMatchObject({ signal: signals.SIGKILL, error: -errno.ETIMEDOUT });
});

test('kills with killSignal', () => {
  expect(run('exec sleep 60', { timeout: 30, killSignal: signals.SIGINT }).signal).toBe(signals.SIGINT);
});

test('kills with SIGKILL when killSignal is none', () => {
  expect(run('exec sleep 60', { timeout: 30, killSignal: 99 }).signal).toBe(signals.SIGKILL);
});

test.each([1, 1000, 65_536, 100_000])('ends a child that writes more than maxBuffer, %i', (maxBuffer) => {
  const result = run('exec yes', { maxBuffer });
  expect(result).toMatchObject({ status: null, error: -errno.ENOBUFS, timedOut: false });
  // What came with the byte that was too many is kept.
  expect(result.output[1].length).toBeGreaterThan(maxBuffer);
  expect(result.output[1].length).toBeLessThanOrEqual(maxBuffer + 65_536);
});

test('lets a child write exactly maxBuffer', () => {
  const { output, ...rest } = run('head -c 70000 /dev/zero', { maxBuffer: 70_000 });
  expect(rest).toMatchObject(OK);
  expect(output[1]).toHaveLength(70_000);
});

test.each([0, Infinity, undefined])('keeps all output with maxBuffer %p', (maxBuffer) => {
  expect(run('head -c 3000000 /dev/zero', { maxBuffer }).output[1]).toHaveLength(3_000_000);
});

test("closeOn: 'exit' does not wait for grandchildren that hold stdout", () => {
  const result = run('sleep 60 & echo $!; head -c 150000 /dev/zero', { closeOn: 'exit' });
  const [pid, rest] = result.output[1].split('\n');
  expectAlive(Number(pid));
  expect(result).toMatchObject(OK);
  expect(rest).toHaveLength(150_000);
});

test("closeOn: 'stdio' waits for them", () => {
  expect(run('(sleep 0.1; echo late) & echo early', { closeOn: 'stdio' }).output[1]).toBe('early\nlate\n');
});

test('a hundred in a row leave nothing', () => {
  for (let i = 0; i < 100; i++) expect(run('exit 0')).toMatchObject(OK);
});
