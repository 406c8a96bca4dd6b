'use strict';

// spawnSync(), execSync() and execFileSync() beside those of node:child_process.

const { expectParity } = require('../helpers/transcript');

// Without a child they are null in Node 20 and undefined in Node 24.
const streams = ({ stdout, stderr }) => ({ stdout: stdout ?? null, stderr: stderr ?? null });

function plain(err) {
  if (!err) return err;
  const { error, ...known } = err;
  const rest = { ...known, step: undefined };
  return { name: err.name, message: err.message, ...rest, ...streams(err), hasItself: error === err };
}

const COMMANDS = [
  ['output', ['sh', ['-c', 'echo out; echo err >&2']]],
  ['an exit code', ['sh', ['-c', 'exit 3']]],
  ['a signal', ['sh', ['-c', 'kill -KILL $$']]],
  ['input', ['cat', { input: 'text' }]],
  ['an encoding', ['echo', ['x'], { encoding: 'utf8' }]],
  ['a timeout', ['sleep', ['60'], { timeout: 20 }]],
  ['a timeout and a signal', ['sleep', ['60'], { timeout: 20, killSignal: 'SIGKILL' }]],
  ['too much', ['sh', ['-c', 'echo too much; sleep 60'], { maxBuffer: 3 }]],
  ['nothing of stdio', ['true', { stdio: 'ignore' }]],
  ['a fourth pipe', ['sh', ['-c', 'echo x >&3'], { stdio: ['pipe', 'pipe', 'pipe', 'pipe'] }]],
  ['nothing there', ['/nonexistent/program', ['a']]],
  ['no such folder', ['true', { cwd: '/nonexistent' }]],
  ['no file', []],
  ['a NUL byte', ['a\0b']],
  ['ipc', ['true', { stdio: ['pipe', 'pipe', 'pipe', 'ipc'] }]],
  ['a shell', ['echo $0', { shell: true, encoding: 'latin1' }]],
  ['too large an argument', ['true', ['a'.repeat(300_000)]]],
];

function note(log, call) {
  try {
    const value = call();
    const isResult = value && typeof value === 'object' && !Buffer.isBuffer(value);
    log(
      'gave',
      isResult ? { ...value, keys: Object.keys(value).sort(), ...streams(value), error: plain(value.error) } : value,
    );
  } catch (err) {
    log('threw', plain(err));
  }
}

test.each(COMMANDS)('spawnSync(): %s', async (_, call) => {
  await expectParity('child_process', ({ spawnSync }, { log }) => note(log, () => spawnSync(...call)));
});

test.each(COMMANDS)('execFileSync(): %s', async (_, call) => {
  const quiet = jest.spyOn(process.stderr, 'write').mockReturnValue(true);
  await expectParity('child_process', ({ execFileSync }, { log }) => {
    note(log, () => execFileSync(...call));
    log('stderr', quiet.mock.calls.splice(0));
  });
  quiet.mockRestore();
});

test.each([['echo x'], ['echo x; exit 3'], ['kill -9 $$'], ['/nonexistent/program']])(
  'execSync(): %s',
  async (command) => {
    await expectParity('child_process', ({ execSync }, { log }) =>
      note(log, () => execSync(command, { stdio: 'pipe' })),
    );
  },
);
