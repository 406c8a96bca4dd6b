'use strict';

const fs = require('node:fs');
const { errno, signals } = require('node:os').constants;
const { closeFd, PipeWrap, ProcessWrap, SignalWrap, stdioSocketPair } = require('../../lib/base/binding');
const { runFixture } = require('../helpers/child');
const { CROWD, ENGINES } = require('../helpers/children');
const { closing } = require('../helpers/closing');
const { readAll, script, start } = require('../helpers/spawning');

/** A child that runs until the descriptor returned with it is closed. */
function startWaiting(options) {
  const [ours, theirs] = stdioSocketPair();
  const child = start({ ...script('read line; exit 3'), stdio: [theirs, -1, -1], ...options });
  closeFd(theirs);
  return { ...child, release: () => closeFd(ours) };
}

describe.each(ENGINES)('a child of the %s engine', (engine) => {
  test('has a pid, and exits with its code', async () => {
    const child = start({ ...script('exit 7'), engine });
    expect(child.pid).toBeGreaterThan(1);
    expect(await child.exited).toEqual([7, 0]);
  });

  test.each(['SIGTERM', 'SIGKILL', 'SIGABRT'])('ends by %s', async (name) => {
    const child = start({ engine, file: 'sleep', args: ['sleep', '60'] });
    expect(child.handle.kill(signals[name])).toBe(0);
    expect(await child.exited).toEqual([null, signals[name]]);
  });

  test('is found by a signal right after spawn(), never its parent in disguise', async () => {
    const child = start({ engine, file: 'sleep', args: ['sleep', '60'] });
    expect(fs.readlinkSync(`/proc/${child.pid}/exe`)).not.toBe(process.execPath);
    child.handle.kill(signals.SIGTERM);
    expect(await child.exited).toEqual([null, signals.SIGTERM]);
  });

  test('is probed by signal 0; ESRCH once it has ended', async () => {
    const child = startWaiting({ engine });
    expect(child.handle.kill(0)).toBe(0);
    child.release();
    await child.exited;
    expect(child.handle.kill(0)).toBe(-errno.ESRCH);
    expect(child.handle.kill(signals.SIGTERM)).toBe(-errno.ESRCH);
  });

  test.each([65, -1, 2 ** 31, NaN, 'SIGTERM', undefined])('refuses signal %p with EINVAL', (signal) => {
    const child = startWaiting({ engine });
    expect(child.handle.kill(signal)).toBe(-errno.EINVAL);
    child.release();
  });

  test('gives its pidfd while it is open', async () => {
    const child = startWaiting({ engine });
    const { fd } = child.handle;
    expect(fs.readFileSync(`/proc/self/fdinfo/${fd}`, 'latin1')).toMatch(`Pid:\t${child.pid}\n`);
    child.release();
    await child.exited;
    expect(child.handle.fd).toBe(-errno.EBADF);
  });

  test('tells what it used, once it has ended', async () => {
    const child = startWaiting({ engine });
    expect(child.handle.resourceUsage()).toBeUndefined();
    child.release();
    await child.exited;
    expect(Object.keys(child.handle.usage).sort()).toEqual(
      Object.keys(process.resourceUsage())
        .filter((name) => name in child.handle.usage)
        .sort(),
    );
    expect(child.handle.usage.maxRSS).toBeGreaterThan(100_000);
  });

  test('leaves no zombie, listener or not', async () => {
    const handle = new ProcessWrap();
    expect(handle.spawn({ ...script('exit 0'), engine }, [])).toBe(0);
    const gone = new SignalWrap();
    await new Promise((resolve) => {
      gone.onsignal = () => !fs.existsSync(`/proc/${handle.pid()}`) && resolve();
      gone.start(signals.SIGCHLD);
      setImmediate(function look() {
        if (fs.existsSync(`/proc/${handle.pid()}`)) setImmediate(look);
        else resolve();
      });
    });
    gone.close();
    handle.close();
  });

  test('goes on, and is reaped by a later spawn, when its handle is closed first', async () => {
    const child = startWaiting({ engine });
    child.handle.onexit = () => expect('onexit').toBe('never called');
    expect(child.handle.close()).toBe(0);
    child.release();
    while (fs.existsSync(`/proc/${child.pid}`)) await start({ engine }).exited;
    expect(child.handle.kill(0)).toBe(-errno.ESRCH);
  });

  test('many of them end at once with the right codes', async () => {
    const [ours, theirs] = stdioSocketPair();
    const children = Array.from({ length: CROWD[engine] }, (_, i) =>
      start({ ...script(`read line; exit ${i % 256}`), engine, stdio: [theirs, -1, -1] }),
    );
    closeFd(theirs);
    expect(children.filter(({ error }) => error !== 0)).toEqual([]);
    closeFd(ours);
    const exits = await Promise.all(children.map(({ exited }) => exited));
    expect(exits).toEqual(children.map((_, i) => [i % 256, 0]));
  });

  test('tells its exit after all of its output', async () => {
    const [ours, theirs] = stdioSocketPair();
    const child = start({ ...script('head -c 400000 /dev/zero'), engine, stdio: [-1, theirs, -1] });
    closeFd(theirs);
    const pipe = new PipeWrap();
    pipe.open(ours);
    pipe.joinGroup(child.handle);
    let received = 0;
    pipe.onread = (nread) => {
      if (nread > 0) received += nread;
      else pipe.close();
    };
    pipe.readStart();
    expect(await child.exited.then(() => received)).toBe(400_000);
  });

  test('tells its exit in a crossing after the one that told the end of its output', async () => {
    const [ours, theirs] = stdioSocketPair();
    const child = start({ ...script('echo x'), engine, stdio: [-1, theirs, -1] });
    closeFd(theirs);
    const pipe = new PipeWrap();
    pipe.open(ours);
    pipe.joinGroup(child.handle);
    const order = [];
    pipe.onread = (nread) => {
      if (nread > 0) return;
      process.nextTick(() => Promise.resolve().then(() => order.push('after the end')));
      pipe.close();
    };
    pipe.readStart();
    await child.exited.then(() => order.push('exit'));
    expect(order).toEqual(['after the end', 'exit']);
  });

  test('tells its exit though a grandchild goes on writing', async () => {
    const [ours, theirs] = stdioSocketPair();
    const child = start({ ...script('yes & echo $! >&2; exit 4'), engine, stdio: [-1, theirs, -1], detached: true });
    closeFd(theirs);
    const pipe = new PipeWrap();
    pipe.open(ours);
    pipe.joinGroup(child.handle);
    pipe.onread = () => {};
    pipe.readStart();
    expect(await child.exited).toEqual([4, 0]);
    process.kill(-child.pid, 'SIGKILL');
    pipe.close();
  });

  test('tells its exit while its output is not read', async () => {
    const [ours, theirs] = stdioSocketPair();
    const child = start({ ...script('echo x; exit 2'), engine, stdio: [-1, theirs, -1] });
    closeFd(theirs);
    expect(await child.exited).toEqual([2, 0]);
    expect(await readAll(ours)).toBe('x\n');
  });

  test('keeps the loop alive unless it is unreferenced', () => {
    const child = startWaiting({ engine });
    expect(child.handle.hasRef()).toBe(true);
    child.handle.unref();
    expect(child.handle.hasRef()).toBe(false);
    child.handle.ref();
    expect(child.handle.hasRef()).toBe(true);
    child.release();
  });
});

describe('a ProcessWrap', () => {
  test('starts one child only', async () => {
    const child = startWaiting();
    expect(child.handle.spawn(script(''), [])).toBe(-errno.EBUSY);
    child.release();
    await child.exited;
    expect(child.handle.spawn(script(''), [])).toBe(-errno.EBUSY);
  });

  test('may try again after a failure', async () => {
    const { handle, error } = start({ file: '/nonexistent' });
    expect([error, handle.failedStep(), handle.pid()]).toEqual([-errno.ENOENT, 'exec', 0]);
    const exited = new Promise((resolve) => (handle.onexit = resolve));
    expect(handle.spawn(script('exit 5'), [])).toBe(0);
    expect(handle.failedStep()).toBeUndefined();
    expect(await exited).toBe(5);
    handle.close();
  });

  test('that was never used has nothing to close', () => {
    const handle = new ProcessWrap();
    expect([handle.kill(9), handle.ref(), handle.fd]).toEqual([-errno.ESRCH, -errno.EBADF, -errno.EBADF]);
    handle.close();
  });

  test('outlives a terminated thread, and is reaped all the same', async () => {
    expect(await runFixture('child_process/spawn_terminated.js')).toMatchObject({
      code: 0,
      stdout: 'reaped',
      stderr: '',
    });
  });

  test('runs its handlers in the async context in which it was made', async () => {
    const { AsyncLocalStorage } = require('node:async_hooks');
    const storage = new AsyncLocalStorage();
    const exit = new Promise((resolve) => {
      storage.run('mine', () => {
        const handle = new ProcessWrap();
        handle.onexit = () => {
          handle.close();
          resolve(storage.getStore());
        };
        handle.spawn(script(''), []);
      });
    });
    expect(await exit).toBe('mine');
  });

  test.each([undefined, null, 1, {}, [], new PipeWrap(), Object.create(ProcessWrap.prototype)])(
    'is not what a stream joins when it is given %p',
    (other) => {
      const pipe = new PipeWrap();
      const [ours, theirs] = stdioSocketPair();
      closing(theirs);
      pipe.open(ours);
      expect(pipe.joinGroup(other)).toBe(-errno.EINVAL);
      pipe.close();
      expect(pipe.joinGroup(new ProcessWrap())).toBe(-errno.EBADF);
    },
  );
});
