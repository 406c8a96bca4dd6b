'use strict';

// Children and signals. A child ends by itself at the end of its stdin, so none stays
// behind when the thread that started it is terminated.

const { isMainThread } = require('node:worker_threads');
const { exec, execFile, run: runProgram, spawn, spawnSync } = require('../../../lib/child_process');
const { watchSignal } = require('../../../lib/signals');

function install(run) {
  run.kind('child', (child) => {
    child.kill('SIGKILL');
    for (const stream of child.stdio ?? []) stream?.destroy?.();
  });
  run.kind('watcher', (watcher) => watcher.stop());
}

const PROGRAMS = [
  ['true', []],
  ['cat', []],
  ['sh', ['-c', 'read line; exit 3']],
  ['sh', ['-c', 'echo out; echo err >&2; kill -9 $$']],
  ['/nonexistent', []],
  ['/', []],
];

function options(run) {
  const { values } = run;
  const chosen = { stdio: ['pipe', values.one(['pipe', 'ignore', 'fifo']), values.one(['pipe', 'ignore'])] };
  const more = {
    argv0: () => 'name',
    closeDescriptors: () => values.flag(),
    closeOn: () => values.one(['stdio', 'exit']),
    cwd: () => values.one(['/', '/nonexistent', run.folder]),
    detached: () => values.flag(),
    engine: () => values.one(['vfork', 'uv']),
    env: () => ({ NAME: 'value', PATH: process.env.PATH }),
    forceKillAfter: () => 10,
    groups: () => [65_534],
    killSignal: () => 'SIGKILL',
    noNewPrivileges: () => values.flag(),
    parentDeathSignal: () => 'SIGTERM',
    priority: () => 5,
    processGroup: () => true,
    rlimits: () => ({ core: 0, nofile: [64, 64] }),
    shell: () => values.flag(),
    timeout: () => 1 + values.random(20),
    uid: () => 65_534,
    umask: () => 0o77,
  };
  for (const [name, value] of Object.entries(more)) if (values.chance(12)) chosen[name] = values.maybe(value());
  if (values.chance(12)) chosen.stdio = values.wrong();
  if (values.chance(8)) chosen.stdio?.push?.(run.pick('descriptor') ?? 'pipe');
  if (values.chance(20)) chosen.signal = AbortSignal.timeout(values.random(20));
  return chosen;
}

function keep(run, child) {
  run.watch('child', child);
  for (const stream of child.stdio ?? []) {
    if (!stream) continue;
    run.watch("child's stream", stream);
    if (run.values.chance(2)) stream.resume?.();
  }
  if (run.values.chance(10)) child.on('exit', () => run.throwSometimes(5));
  return run.add('child', child);
}

const program = (run) => {
  const [file, args] = run.values.one(PROGRAMS);
  return [run.values.maybe(file), run.values.maybe(args)];
};

const outcome = (run, name) => (error) => {
  if (error) run.checkError(name, error);
};

const ON_CHILD = {
  kill: (run, child) => child.kill(run.values.maybe(run.values.one(['SIGTERM', 'SIGKILL', 0, 'SIGCONT']))),
  // It stops the tree first, which stays so when the thread is terminated just then.
  'kill the tree': (run, child) => isMainThread && child.kill('SIGKILL', { tree: run.values.maybe(true) }),
  ref: (run, child) => child.ref(),
  unref: (run, child) => child.unref(),
  'stdin.end': (run, child) => child.stdin?.end(run.values.maybe('text\n')),
  'stdin.write': (run, child) => child.stdin?.write(run.values.maybe(run.values.bytes())),
  'destroy a stream': (run, child) => run.values.one(child.stdio ?? [])?.destroy?.(),
  pidfd: (run, child) => [child.pidfd(), child.pid, child.exitCode, child.signalCode, child.resourceUsage],
  dispose: (run, child) => run.settle('child dispose', child[Symbol.asyncDispose]()),
};

const OPERATIONS = {
  spawn: (run) => keep(run, spawn(...program(run), run.values.maybe(options(run)))),
  'spawn many': (run) => {
    for (let i = 0; i < 4; i++) keep(run, spawn('cat', { stdio: ['pipe', 'pipe', 'ignore'] }));
  },
  execFile: (run) => keep(run, execFile(...program(run), run.values.maybe(options(run)), outcome(run, 'execFile'))),
  exec: (run) => keep(run, exec('read line; exit 4', run.values.maybe(options(run)), outcome(run, 'exec'))),
  run: (run) => {
    const running = runProgram(...program(run), { ...options(run), input: run.values.maybe('text') });
    run.settle('run', running);
    if (running.child) keep(run, running.child);
  },
  spawnSync: (run) => {
    const input = run.values.maybe(run.values.bytes());
    spawnSync('cat', [], { ...options(run), shell: false, input, timeout: 500, killSignal: 'SIGKILL' });
  },
  watchSignal: (run) => {
    const watcher = watchSignal(run.values.maybe('SIGWINCH'), () => run.throwSometimes(20));
    run.add('watcher', watcher);
  },
  'watcher.stop': (run) => run.pick('watcher')?.stop(),
  'watcher.unref': (run) => run.pick('watcher')?.unref(),
  'raise SIGWINCH': () => process.kill(process.pid, 'SIGWINCH'),
};
for (const [name, operation] of Object.entries(ON_CHILD)) {
  OPERATIONS[`child.${name}`] = (run) => {
    const child = run.pick('child');
    if (child !== undefined) operation(run, child);
  };
}

module.exports = { OPERATIONS, install };
