'use strict';

const { run } = require('../../lib/child_process');
const { gone } = require('../helpers/children');

const sh = (text, options) => run('sh', ['-c', text], options);

test('tells what was written and how it ended', async () => {
  const result = await sh('echo out; echo err >&2');
  expect(result).toMatchObject({ stdout: 'out\n', stderr: 'err\n', exitCode: 0, signal: null });
  expect(result.durationMs).toBeGreaterThan(0);
  expect(result.resourceUsage.maxRSS).toBeGreaterThan(0);
});

test('input is written to it; without, there is none', async () => {
  expect((await run('cat', { input: 'text' })).stdout).toBe('text');
  expect((await run('cat')).stdout).toBe('');
  expect((await run('true', { input: 'x'.repeat(1e6) })).exitCode).toBe(0);
});

test('a Buffer with encoding: buffer', async () => {
  expect((await run('echo', ['x'], { encoding: 'buffer' })).stdout).toEqual(Buffer.from('x\n'));
});

describe('a rejection says', () => {
  test('what was run, how it ended, and the last lines of stderr', async () => {
    const failed = run('sh', ['-c', 'seq 20 >&2; exit 3']);
    await expect(failed).rejects.toMatchObject({ exitCode: 3, code: 'ERR_PIPEWRIGHT_RUN_FAILED', file: 'sh' });
    await expect(failed).rejects.toThrow(
      /^sh -c 'seq 20 >&2; exit 3' ended with exit code 3, after \d+ ms\.\nThe last 10 of 20 lines of its stderr:\n {2}11\n.*\n {2}20$/s,
    );
  });

  test('by which signal it ended', async () => {
    await expect(sh('kill -9 $$')).rejects.toThrow(/was ended by SIGKILL, after/);
  });

  test('that it took too long', async () => {
    await expect(run('sleep', ['60'], { timeout: 20 })).rejects.toMatchObject({
      message: expect.stringMatching(/^sleep 60 was ended by SIGTERM at its timeout of 20 ms, after \d+ ms\.$/),
      timedOut: true,
    });
  });

  test('that it could not be started', async () => {
    await expect(run('/nonexistent/program')).rejects.toMatchObject({
      message: '/nonexistent/program could not be started: spawn /nonexistent/program ENOENT.',
      code: 'ENOENT',
      step: 'exec',
    });
  });

  test('that it was aborted', async () => {
    const controller = new AbortController();
    const running = run('sleep', ['60'], { signal: controller.signal });
    controller.abort();
    await expect(running).rejects.toMatchObject({ name: 'AbortError', signal: 'SIGTERM' });
  });

  test('that it wrote too much', async () => {
    await expect(run('yes', { maxBuffer: 10_000 })).rejects.toMatchObject({
      code: 'ERR_CHILD_PROCESS_STDIO_MAXBUFFER',
    });
  });
});

test('reject: false tells of a failure as of a success', async () => {
  expect(await sh('exit 3', { reject: false })).toMatchObject({ exitCode: 3 });
});

describe('line by line', () => {
  async function linesOf(running) {
    const lines = [];
    for await (const line of running) lines.push(line);
    return lines;
  }

  test('lines come without their ends, the last one too', async () => {
    expect(await linesOf(sh('printf "a\\r\\n\\nb\\nc"'))).toEqual(['a', '', 'b', 'c']);
  });

  test('much of it, and characters that are cut by chunks', async () => {
    const lines = await linesOf(run(process.execPath, ['-e', 'for (let i = 0; i < 1e5; i++) console.log("ä中" + i)']));
    expect(lines).toHaveLength(1e5);
    expect(lines.at(-1)).toBe('ä中99999');
  });

  test('a slow reader loses nothing', async () => {
    const lines = [];
    for await (const line of run('seq', ['30000'])) {
      if (lines.length % 1000 === 0) await new Promise(setImmediate);
      lines.push(line);
    }
    expect(lines).toHaveLength(30000);
  });

  test('what came before the loop began is not lost', async () => {
    const running = run('seq', ['3']);
    await running;
    expect(await linesOf(running)).toEqual(['1', '2', '3']);
  });

  test('a failure ends the loop', async () => {
    await expect(linesOf(sh('echo a; exit 2'))).rejects.toMatchObject({ exitCode: 2 });
  });

  test('leaving the loop ends the child', async () => {
    const running = run('yes');
    for await (const line of running) {
      expect(line).toBe('y');
      break;
    }
    await gone(running.child.pid);
    await running.catch(() => {});
  });

  test('the lines are not kept: no maxBuffer applies', async () => {
    expect(await linesOf(run('seq', ['30000'], { maxBuffer: 70_000 }))).toHaveLength(30000);
  });
});

test('an argument that is no string shows in the message as the program got it', async () => {
  await expect(run('false', [null, 7])).rejects.toThrow('false null 7 ended with exit code 1');
});
