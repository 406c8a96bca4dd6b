'use strict';

// spawn(), exec() and execFile() beside those of node:child_process: the same calls, the
// same events, results and errors.

const fs = require('node:fs');
const { promisify } = require('node:util');

const { expectParity } = require('../helpers/transcript');

const EVENTS = ['spawn', 'exit', 'close', 'error', 'disconnect', 'message'];

// Ours says more: which step failed.
function plain(err) {
  const rest = { ...err, step: undefined };
  return { name: err.name, message: err.message, ...rest };
}

/** Notes the events of a child and, each in a lane of its own, those of its streams. */
function follow(child, { log, lane, record }) {
  record(
    child,
    EVENTS.filter((name) => name !== 'error'),
    log,
  );
  child.on('error', (err) => log('error', plain(err)));
  for (const name of ['stdin', 'stdout', 'stderr']) {
    if (!child[name]) continue;
    record(child[name], ['end', 'close', 'finish', 'error'], lane(name));
    if (name !== 'stdin') child[name].setEncoding('utf8').on('data', (data) => lane(name)('data', data));
  }
  return new Promise((resolve) => child.once('close', resolve)); // once() would reject at an 'error'.
}

const state = ({ exitCode, signalCode, killed, connected, spawnfile, spawnargs, pid }) => ({
  exitCode,
  signalCode,
  killed,
  connected,
  spawnfile,
  spawnargs,
  pid,
});

const shapeOf = (value) => (value === null ? null : typeof value);

describe('spawn()', () => {
  test.each([
    ['output and an exit code', ['sh', ['-c', 'echo out; echo err >&2; exit 3']]],
    ['nothing at all', ['true']],
    ['a signal', ['sh', ['-c', 'kill -TERM $$']]],
    ['a shell', ['echo $A; exit 2', { shell: true, env: { A: 'b' } }]],
    ['another name', ['sh', ['-c', 'echo $0'], { argv0: 'x' }]],
    ['a program that is not there', ['/nonexistent/program', ['a', 'b']]],
    ['a program that may not be executed', ['/etc/passwd']],
    ['a folder for a program', ['/']],
    ['a folder that is not there', ['true', [], { cwd: '/nonexistent' }]],
    ['nothing of stdio', ['true', { stdio: 'ignore' }]],
    ['some of stdio', ['sh', ['-c', 'echo x'], { stdio: ['ignore', 'pipe', null] }]],
    ['a timeout', ['sleep', ['60'], { timeout: 20, killSignal: 'SIGINT' }]],
  ])('%s', async (_, call) => {
    await expectParity('child_process', async ({ spawn }, tools) => {
      const child = tools.closing(spawn(...call));
      tools.log(
        'begin',
        state(child),
        child.stdio?.map(shapeOf),
        [child.stdin, child.stdout, child.stderr].map(shapeOf),
      );
      await follow(child, tools);
      tools.log('end', state(child));
    });
  });

  test('input and output', async () => {
    await expectParity('child_process', async ({ spawn }, tools) => {
      const child = tools.closing(spawn('cat'));
      const ended = follow(child, tools);
      tools.log('write', child.stdin.write('one\n'), child.stdin.writable, child.stdin.readable);
      child.stdin.end('two\n');
      await ended;
      tools.log('after', child.stdin.destroyed, child.stdout.destroyed, child.stdout.readableEnded);
    });
  });

  test.each([
    [[]],
    [[1]],
    [['']],
    [['a\0b']],
    [['true', 'x']],
    [['true', [], null]],
    [['true', [], { cwd: 1 }]],
    [['true', [], { detached: 1 }]],
    [['true', [], { shell: 1 }]],
    [['true', [], { argv0: 1 }]],
    [['true', [], { windowsHide: 1 }]],
    [['true', [], { signal: 1 }]],
    [['true', [], { killSignal: 'SIGX' }]],
    [['true', [], { killSignal: true }]],
    [['true', [], { stdio: 'x' }]],
    [['true', [], { stdio: [{}] }]],
    [['true', [], { stdio: ['x'] }]],
    [['true', [], { serialization: 'x' }]],
    [['true', [], { env: { A: 'b\0' } }]],
    [['true', ['a'.repeat(300_000)]]],
    [['true', [], { uid: -1 }]],
  ])('%j throws the same', async (call) => {
    await expectParity('child_process', async ({ spawn }, { log }) => {
      try {
        spawn(...call);
        log('did not throw');
      } catch (err) {
        log('threw', plain(err));
      }
    });
  });

  test('kill()', async () => {
    await expectParity('child_process', async ({ spawn }, tools) => {
      const child = tools.closing(spawn('cat'));
      const ended = follow(child, tools);
      tools.log('kill', child.kill(0), child.killed, child.kill(), child.killed);
      await ended;
      tools.log('again', child.kill(), child.kill('SIGKILL'));
    });
  });

  test('an aborted signal', async () => {
    await expectParity('child_process', async ({ spawn }, tools) => {
      const controller = new AbortController();
      const child = tools.closing(spawn('cat', { signal: controller.signal }));
      const ended = follow(child, tools);
      controller.abort(new Error('enough'));
      await ended;
    });
  });

  test('a file as stdout', async () => {
    await expectParity('child_process', async ({ spawn }, tools) => {
      const file = tools.socketPath('out');
      const fd = fs.openSync(file, 'w');
      await follow(tools.closing(spawn('echo', ['x'], { stdio: ['ignore', fd, 'pipe'] })), tools);
      fs.closeSync(fd);
      tools.log('file', fs.readFileSync(file, 'utf8'));
    });
  });
});

describe('exec() and execFile()', () => {
  const settle = (log, resolve) => (err, stdout, stderr) => {
    log('callback', err && plain(err), stdout, stderr);
    resolve();
  };

  test.each([
    ['success', ['echo out; echo err >&2']],
    ['failure', ['echo out; echo err >&2; exit 3']],
    ['a signal', ['kill -KILL $$']],
    ['a timeout', ['exec sleep 60', { timeout: 20 }]],
    ['too much', ['seq 100', { maxBuffer: 20 }]],
    ['Buffers', ['echo x', { encoding: 'buffer' }]],
    ['hexadecimal', ['echo x', { encoding: 'hex' }]],
    ['another shell', ['echo $0', { shell: '/bin/sh' }]],
    ['a shell that is not there', ['echo', { shell: '/nonexistent' }]],
  ])('exec(): %s', async (_, call) => {
    await expectParity(
      'child_process',
      ({ exec }, { log }) => new Promise((resolve) => exec(...call, settle(log, resolve))),
    );
  });

  test.each([
    ['success', ['echo', ['a', 'b']]],
    ['failure', ['sh', ['-c', 'exit 5']]],
    ['nothing there', ['/nonexistent/program', ['x']]],
    ['without arguments', ['true']],
  ])('execFile(): %s', async (_, call) => {
    await expectParity(
      'child_process',
      ({ execFile }, { log }) => new Promise((resolve) => execFile(...call, settle(log, resolve))),
    );
  });

  test.each([['echo x'], ['echo x; exit 4']])('promisify(exec): %s', async (command) => {
    await expectParity('child_process', async ({ exec }, { log }) => {
      const promise = promisify(exec)(command);
      log('child', promise.child.spawnargs);
      await promise.then(
        (value) => log('resolved', value),
        (err) => log('rejected', plain(err)),
      );
    });
  });
});
