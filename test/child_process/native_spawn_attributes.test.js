'use strict';

const { execFileSync } = require('node:child_process');
const fs = require('node:fs');
const { errno, priority, signals } = require('node:os').constants;
const path = require('node:path');
const { outputOf, runFixture, startFixture } = require('../helpers/child');
const { ENGINES } = require('../helpers/children');
const { testNeeding } = require('../helpers/needed_programs');
const { run, script, start } = require('../helpers/spawning');

const NOBODY = 65534;
const RLIMIT_CPU = 0;
const RLIMIT_CORE = 4;
const RLIMIT_NOFILE = 7;

const isRoot = process.getuid() === 0;
const asRoot = isRoot ? test : test.skip;

function runAsNobody(options, fixtureOptions) {
  const user = isRoot ? { uid: NOBODY, gid: NOBODY } : {};
  return runFixture('child_process/spawn_native.js', [JSON.stringify(options)], { ...user, ...fixtureOptions });
}

describe.each(ENGINES)('the %s engine', (engine) => {
  asRoot('changes user and group, and drops the groups of this process', async () => {
    const options = { ...script('id -u; id -g; id -G'), engine, uid: 1234, gid: 4321 };
    expect(await run(options)).toMatchObject({ output: '1234\n4321\n4321\n' });
  });

  asRoot('leaves the group when only the user changes', async () => {
    expect(await run({ ...script('id -u; id -g'), engine, uid: 1234 })).toMatchObject({ output: '1234\n0\n' });
  });

  test('lets an unprivileged process ask for its own user', async () => {
    const id = isRoot ? NOBODY : process.getuid();
    const gid = isRoot ? NOBODY : process.getgid();
    const { stdout } = await runAsNobody({ ...script('id -u'), stdio: [-1, 1, 2], engine, uid: id, gid });
    expect(stdout).toBe(`${id}\n{"code":0,"signal":0}`);
  });

  test.each([
    ['setuid', { uid: 0 }],
    ['setgid', { gid: 0 }],
  ])('tells EPERM for another %s without privileges', async (step, options) => {
    const { stdout } = await runAsNobody({ ...script(''), engine, ...options });
    expect(JSON.parse(stdout)).toEqual({ error: -errno.EPERM, ...(engine === 'vfork' && { step }) });
  });

  test('puts a detached child into a session of its own', async () => {
    const { output } = await run({ ...script('echo $$; cut -d" " -f6 /proc/$$/stat'), engine, detached: true });
    const [pid, session] = output.split('\n');
    expect(session).toBe(pid);
  });

  test('resets what this process ignores, and blocks nothing', async () => {
    const own = fs.readFileSync('/proc/self/status', 'latin1');
    expect(own).toMatch(/SigIgn:\t0*[1-9]/); // Node ignores SIGPIPE.
    const options = { engine, file: 'sed', args: ['sed', '-nE', '/Sig(Ign|Blk)/p', '/proc/self/status'] };
    expect((await run(options)).output).toBe('SigBlk:\t0000000000000000\nSigIgn:\t0000000000000000\n');
  });
});

describe('the vfork engine', () => {
  const engine = 'vfork';

  asRoot('sets the groups it is given', async () => {
    const options = { ...script('id -G'), engine, uid: 1000, gid: 1000, groups: [7, 5] };
    expect((await run(options)).output.trim().split(' ').sort()).toEqual(['1000', '5', '7']);
  });

  // An ordinary user that may change users: root owns its /proc if it may no longer be
  // dumped.
  for (const [where, program, ...args] of [
    ['', 'spawn_dumpable.js'],
    [', where four threads spawn (issue 9)', 'spawn_dumpable_threads.js', '200'],
  ]) {
    (isRoot ? testNeeding('setpriv') : test.skip)(`keeps this process dumpable${where}`, () => {
      const capabilities = '+setuid,+setgid,+dac_override';
      const output = execFileSync('setpriv', [
        `--reuid=${NOBODY}`,
        `--inh-caps=${capabilities}`,
        `--ambient-caps=${capabilities}`,
        process.execPath,
        path.join(__dirname, '../fixtures/child_process', program),
        ...args,
      ]);
      expect(output.toString().trim()).toBe(where === '' ? `0 ${NOBODY}` : `0,0,0,0 ${NOBODY}`);
    });
  }

  test('sets the umask', async () => {
    expect(await run({ ...script('umask'), engine, umask: 0o27 })).toMatchObject({ output: '0027\n' });
  });

  test('sets resource limits', async () => {
    const rlimits = [
      [RLIMIT_NOFILE, 50, 60],
      [RLIMIT_CORE, 0, 0],
      [RLIMIT_CPU, 1000, Infinity],
    ];
    const text = 'ulimit -Sn; ulimit -Hn; ulimit -c; ulimit -St; ulimit -Ht';
    const { output, error } = await run({ ...script(text), engine, rlimits: isRoot ? rlimits : rlimits.slice(0, 2) });
    expect(error).toBe(0);
    expect(output.split('\n').slice(0, isRoot ? 5 : 3)).toEqual(
      ['50', '60', '0', '1000', 'unlimited'].slice(0, isRoot ? 5 : 3),
    );
  });

  test('limits descriptors only after it has placed them', async () => {
    const stdio = Array.from({ length: 20 }, () => -1);
    const options = { ...script('echo x >&19'), engine, stdio, outputFd: 19, rlimits: [[RLIMIT_NOFILE, 3, 3]] };
    expect(await run(options)).toMatchObject({ error: 0 });
  });

  test('makes the child lead a process group', async () => {
    const { output } = await run({ ...script('echo $$; cut -d" " -f5,6 /proc/$$/stat'), engine, processGroup: 0 });
    const [pid, rest] = output.split('\n');
    const [group, session] = rest.split(' ');
    expect(group).toBe(pid);
    expect(session).not.toBe(pid);
  });

  test('puts the child into the group of another', async () => {
    const leader = start({ ...script('exec sleep 60'), engine, processGroup: 0 });
    const options = { ...script('cut -d" " -f5 /proc/$$/stat'), engine, processGroup: leader.pid };
    expect((await run(options)).output).toBe(`${leader.pid}\n`);
    leader.handle.kill(signals.SIGKILL);
    await leader.exited;
  });

  test('a detached child may be told to lead its group too', async () => {
    expect(await run({ ...script('echo x'), engine, detached: true, processGroup: 0 })).toMatchObject({
      output: 'x\n',
    });
  });

  test('sets the priority', async () => {
    const options = { ...script('cut -d" " -f19 /proc/$$/stat'), engine, priority: priority.PRIORITY_LOW };
    expect((await run(options)).output).toBe('19\n');
  });

  test('forbids new privileges', async () => {
    const options = { ...script('sed -n /NoNewPrivs/p /proc/self/status'), engine, noNewPrivileges: true };
    expect((await run(options)).output).toBe('NoNewPrivs:\t1\n');
  });

  test.each([[{}], [{ uid: isRoot ? NOBODY : process.getuid() }]])(
    'kills the child with this process, with %j',
    async (user) => {
      const options = {
        ...script('echo $$; exec sleep 60'),
        engine,
        ...user,
        parentDeathSignal: signals.SIGTERM,
        stdio: [-1, 1, 2],
      };
      const fixture = startFixture('child_process/spawn_native.js', [JSON.stringify(options)]);
      await outputOf(fixture, '\n');
      fixture.kill('SIGKILL');
      // Its stdout is held by the grandchild: 'close' means that it is gone.
      expect(await fixture.result).toMatchObject({ signal: 'SIGKILL', timedOut: false });
    },
  );

  test.each([
    ['chdir', errno.ENOENT, { cwd: '/nonexistent' }],
    ['stdio', errno.EBADF, { stdio: [9999] }],
    ['processGroup', errno.EPERM, { processGroup: 2 ** 30 }],
    ['controllingTerminal', errno.ENOTTY, { detached: true, controllingTerminal: 0 }],
    ['parentDeathSignal', errno.EINVAL, { parentDeathSignal: 99 }],
    ['rlimits', errno.EINVAL, { rlimits: [[RLIMIT_NOFILE, 60, 50]] }],
    ['rlimits', errno.EINVAL, { rlimits: [[999, 60, 50]] }],
    ['exec', errno.ENOENT, { file: '/nonexistent' }],
  ])('names the step %s that failed', (step, code, options) => {
    expect(start({ ...script(''), engine, ...options })).toMatchObject({ error: -code, step, pid: 0 });
  });

  test.each([
    ['setgroups', errno.EPERM, { groups: [0] }],
    ['setgid', errno.EPERM, { gid: 0 }],
    ['setuid', errno.EPERM, { uid: 0 }],
    ['priority', errno.EACCES, { priority: -20 }],
    ['rlimits', errno.EPERM, { rlimits: [[RLIMIT_NOFILE, 10, 'Infinity']] }],
  ])('names the step %s that is not allowed', async (step, code, options) => {
    const { stdout } = await runAsNobody({ ...script(''), engine, ...options });
    expect(JSON.parse(stdout)).toEqual({ error: -code, step });
  });
});

describe('the uv engine', () => {
  test.each([
    [{ groups: [0] }],
    [{ umask: 0 }],
    [{ rlimits: [[RLIMIT_CORE, 0, 0]] }],
    [{ processGroup: 0 }],
    [{ priority: 1 }],
    [{ parentDeathSignal: 9 }],
    [{ controllingTerminal: 0 }],
    [{ noNewPrivileges: true }],
  ])('refuses %j with ENOTSUP', (options) => {
    expect(start({ ...script(''), engine: 'uv', ...options })).toMatchObject({
      error: -errno.ENOTSUP,
      step: undefined,
    });
  });
});
