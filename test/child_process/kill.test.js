'use strict';

const { once } = require('node:events');
const fs = require('node:fs');

const { exec, spawn } = require('../../lib/child_process');
const { closing } = require('../helpers/closing');
const { ENGINES, SHELL_RUNS_MS, ended, gone, said, stateOf } = require('../helpers/children');

const IGNORES_TERM = "trap '' TERM; echo ready; while :; do sleep 60 & wait; done";
const script = (text, options) => closing(spawn('sh', ['-c', text], options));

async function ready(child) {
  const text = await said(child.stdout.setEncoding('utf8'), '\n');
  return text.trim();
}

describe.each(ENGINES)('with the engine %s', (engine) => {
  test.each([
    [undefined, 'SIGTERM'],
    ['SIGKILL', 'SIGKILL'],
    ['sigint', 'SIGINT'],
    [10, 'SIGUSR1'],
  ])('kill(%p) ends it by %s', async (signal, name) => {
    const child = closing(spawn('cat', { engine }));
    expect(child.kill(signal)).toBe(true);
    expect(child.killed).toBe(true);
    expect(await once(child, 'exit')).toEqual([null, name]);
    expect(child.kill()).toBe(false);
  });

  test('kill(0) only asks', async () => {
    const child = closing(spawn('cat', { engine }));
    expect(child.kill(0)).toBe(true);
    child.stdin.end();
    await ended(child);
    expect(child.kill(0)).toBe(false);
  });

  test('timeout', async () => {
    const child = closing(spawn('cat', { engine, timeout: 20, killSignal: 'SIGUSR2' }));
    expect(await once(child, 'exit')).toEqual([null, 'SIGUSR2']);
  });
});

test('an unknown signal throws', () => {
  const child = closing(spawn('cat'));
  expect(() => child.kill('SIGNOTHING')).toThrow(expect.objectContaining({ code: 'ERR_UNKNOWN_SIGNAL' }));
});

test('a child that could not be started cannot be killed', async () => {
  const child = spawn('/nonexistent/program');
  const failed = once(child, 'error');
  expect(child.kill()).toBe(false);
  await failed;
});

test('pidfd() is a descriptor of the process, until its end', async () => {
  const child = closing(spawn('cat'));
  const fd = child.pidfd();
  expect(fs.readFileSync(`/proc/self/fdinfo/${fd}`, 'latin1')).toContain(`Pid:\t${child.pid}\n`);
  child.stdin.end();
  await ended(child);
  expect(child.pidfd()).toBeNull();
});

describe('forceKillAfter', () => {
  test('SIGKILL follows a kill() that did not help', async () => {
    const child = script(IGNORES_TERM, { forceKillAfter: 30 });
    await ready(child);
    child.kill(undefined, { tree: true });
    expect(await once(child, 'close')).toEqual([null, 'SIGKILL']);
  });

  test('and a timeout', async () => {
    const child = script("trap '' TERM; exec sleep 60", {
      timeout: SHELL_RUNS_MS,
      forceKillAfter: 30,
      stdio: 'ignore',
    });
    expect(await once(child, 'exit')).toEqual([null, 'SIGKILL']);
  });

  test('but not a signal that is not to end it', async () => {
    const child = script("trap 'echo again' HUP; echo ready; while read line; do :; done", { forceKillAfter: 1 });
    await ready(child);
    child.kill('SIGHUP');
    await said(child.stdout, 'again');
    child.stdin.end();
    expect(await once(child, 'exit')).toEqual([0, null]);
  });
});

describe('AbortSignal', () => {
  test('ends the child and tells why', async () => {
    const controller = new AbortController();
    const child = closing(spawn('cat', { signal: controller.signal }));
    const failed = once(child, 'error');
    const exited = new Promise((resolve) => child.on('exit', (...args) => resolve(args)));
    controller.abort('enough');
    expect((await failed)[0]).toMatchObject({ name: 'AbortError', code: 'ABORT_ERR', cause: 'enough' });
    expect(await exited).toEqual([null, 'SIGTERM']);
  });

  test('aborted beforehand', async () => {
    const child = closing(spawn('cat', { signal: AbortSignal.abort() }));
    expect((await once(child, 'error'))[0].name).toBe('AbortError');
  });

  test('of exec()', async () => {
    const controller = new AbortController();
    const done = new Promise((resolve) => exec('exec sleep 60', { signal: controller.signal }, resolve));
    controller.abort();
    expect(await done).toMatchObject({ name: 'AbortError', cmd: 'exec sleep 60' });
  });
});

describe('disposal', () => {
  test('Symbol.dispose sends SIGTERM', async () => {
    const child = closing(spawn('cat'));
    child[Symbol.dispose]();
    expect(await once(child, 'exit')).toEqual([null, 'SIGTERM']);
  });

  test('Symbol.asyncDispose waits for the end', async () => {
    const child = closing(spawn('cat'));
    await child[Symbol.asyncDispose]();
    expect(child.signalCode).toBe('SIGTERM');
    await child[Symbol.asyncDispose]();
  });
});

describe('tree', () => {
  // A shell with children and grandchildren.
  const TREE = "sh -c 'sleep 61 & echo $!; wait' & sh -c 'sleep 62 & echo $!; wait' & echo $$; wait";

  async function tree() {
    const child = script(TREE);
    const pids = [];
    child.stdout.setEncoding('utf8');
    while (pids.length < 3) {
      const [chunk] = await once(child.stdout, 'data');
      pids.push(...chunk.trim().split('\n').map(Number));
    }
    return { child, pids };
  }

  test.each(['SIGKILL', 'SIGTERM'])('%s reaches every descendant', async (signal) => {
    const { child, pids } = await tree();
    expect(child.kill(signal, { tree: true })).toBe(true);
    await once(child, 'close');
    await Promise.all(pids.map(gone));
  });

  test('the group of a detached child is reached after it has ended', async () => {
    const child = script('sleep 63 & echo $!', { detached: true, stdio: ['ignore', 'pipe', 'ignore'] });
    const pid = Number(await ready(child));
    await once(child, 'exit');
    expect(child.kill('SIGKILL', { tree: true })).toBe(true);
    await gone(pid);
  });

  test('nobody else is touched', async () => {
    const other = closing(spawn('cat'));
    const child = closing(spawn('cat'));
    child.kill('SIGKILL', { tree: true });
    await once(child, 'exit');
    expect(stateOf(other.pid)).not.toBe('T');
    other.stdin.end();
    expect(await once(other, 'exit')).toEqual([0, null]);
  });

  test('kill(0, { tree: true }) only asks', async () => {
    const child = closing(spawn('cat'));
    expect(child.kill(0, { tree: true })).toBe(true);
    child.stdin.end();
    await ended(child);
    expect(child.kill(0, { tree: true })).toBe(false);
  });
});
