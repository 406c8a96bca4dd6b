'use strict';

const { ChildProcess, execFile, execFileSync, run, spawn, spawnSync } = require('../../lib/child_process');
const { closing } = require('../helpers/closing');
const { ended } = require('../helpers/children');

const TYPE = { code: 'ERR_INVALID_ARG_TYPE', name: 'TypeError' };
const VALUE = { code: 'ERR_INVALID_ARG_VALUE', name: 'TypeError' };
const RANGE = { code: 'ERR_OUT_OF_RANGE', name: 'RangeError' };
const SIGNAL = { code: 'ERR_UNKNOWN_SIGNAL', name: 'TypeError' };
const PAIR = { code: 'ERR_INCOMPATIBLE_OPTION_PAIR', name: 'TypeError' };

const ok = async (child) => expect((await ended(closing(child))).code).toBe(0);

describe('call forms', () => {
  test.each([
    ['a file', ['true']],
    ['no arguments', ['true', []]],
    ['options in place of arguments', ['true', { cwd: '/' }]],
    ['undefined arguments', ['true', undefined, { cwd: '/' }]],
    ['null arguments', ['true', null, { cwd: '/' }]],
    ['undefined options', ['true', [], undefined]],
    ['null and undefined for every option', ['true', [], { cwd: null, env: undefined, uid: null, shell: undefined }]],
  ])('spawn() takes %s', (_, call) => ok(spawn(...call)));

  test.each([
    ['no callback', ['true']],
    ['a callback second', ['true', jest.fn()]],
    ['a callback third', ['true', [], jest.fn()]],
    ['null for all but the callback', ['true', null, null, jest.fn()]],
    ['options second', ['true', { cwd: '/' }, jest.fn()]],
  ])('execFile() takes %s', (_, call) => ok(execFile(...call)));

  test.each([
    ['no file', []],
    ['a file of another type', [{ toString: () => 'true' }]],
    ['a string of arguments', ['true', '-x']],
    ['null options', ['true', [], null]],
    ['an array of options', ['true', [], []]],
  ])('spawn() refuses %s', (_, call) => {
    expect(() => spawn(...call)).toThrow(expect.objectContaining(TYPE));
  });

  test('an empty file is refused', () => {
    expect(() => spawn('')).toThrow(expect.objectContaining(VALUE));
  });

  test('what Object.prototype holds is no option', async () => {
    Object.prototype.shell = '/nonexistent';
    closing(() => delete Object.prototype.shell);
    await ok(spawn('true'));
  });
});

describe('NUL bytes', () => {
  test.each([
    ['the file', ['a\0b']],
    ['an argument', ['true', ['a\0b']]],
    ['cwd', ['true', [], { cwd: 'a\0b' }]],
    ['argv0', ['true', [], { argv0: 'a\0b' }]],
    ['shell', ['true', [], { shell: 'a\0b' }]],
    ['a name in env', ['true', [], { env: { 'a\0b': 'c' } }]],
    ['a value in env', ['true', [], { env: { a: 'b\0c' } }]],
  ])('are refused in %s', (_, call) => {
    expect(() => spawn(...call)).toThrow(expect.objectContaining(VALUE));
  });
});

describe('options', () => {
  test.each([
    ['cwd', 1, TYPE],
    ['detached', 1, TYPE],
    ['uid', true, TYPE],
    ['uid', 1.5, RANGE],
    ['uid', 2 ** 33, RANGE],
    ['uid', '/not a name', TYPE],
    ['uid', 'no-such-user', VALUE],
    ['gid', 'no-such-group', VALUE],
    ['shell', 1, TYPE],
    ['argv0', [], TYPE],
    ['windowsHide', 1, TYPE],
    ['timeout', 'soon', TYPE],
    ['timeout', -1, RANGE],
    ['killSignal', 'SIGNOTHING', SIGNAL],
    ['killSignal', true, TYPE],
    ['signal', {}, TYPE],
    ['serialization', 'yaml', VALUE],
    ['stdio', 'foo', VALUE],
    ['stdio', [{}], VALUE],
    ['stdio', ['foo'], { code: 'ERR_INVALID_SYNC_FORK_INPUT' }],
    ['stdio', ['ipc', 'ipc'], { code: 'ERR_IPC_ONE_PIPE' }],
    ['handleTimeout', -1, RANGE],
    ['handleTimeout', '1', TYPE],
    ['maxMessageBytes', 0, RANGE],
    ['maxMessageBytes', 1.5, RANGE],
    ['umask', 0o1000, RANGE],
    ['umask', '8', VALUE],
    ['rlimits', [], TYPE],
    ['rlimits', { files: 3 }, VALUE],
    ['rlimits', { nofile: '64' }, TYPE],
    ['rlimits', { nofile: [2, 1] }, VALUE],
    ['rlimits', { nofile: [1, 2, 3] }, VALUE],
    ['rlimits', { nofile: -1 }, RANGE],
    ['groups', 'wheel', TYPE],
    ['groups', [null], TYPE],
    ['processGroup', 'own', TYPE],
    ['processGroup', 0, RANGE],
    ['priority', 20, RANGE],
    ['parentDeathSignal', 'SIGNOTHING', SIGNAL],
    ['noNewPrivileges', 1, TYPE],
    ['closeDescriptors', 'no', TYPE],
    ['controllingTerminal', '/dev/tty', TYPE],
    ['engine', 'fork', VALUE],
    ['closeOn', 'end', VALUE],
    ['forceKillAfter', -1, RANGE],
  ])('%s: %p is refused', (name, value, error) => {
    expect(() => spawn('true', [], { [name]: value })).toThrow(expect.objectContaining(error));
  });

  test.each([[{ processGroup: true, detached: true }], [{ processGroup: 1, controllingTerminal: 0 }]])(
    '%p exclude each other',
    (options) => {
      expect(() => spawn('true', [], options)).toThrow(expect.objectContaining(PAIR));
    },
  );

  test.each(['groups', 'umask', 'rlimits', 'processGroup', 'priority', 'parentDeathSignal', 'noNewPrivileges'])(
    '%s with the engine uv is refused',
    (name) => {
      const value = { groups: [0], rlimits: { core: 0 }, processGroup: true, noNewPrivileges: true }[name] ?? 1;
      expect(() => spawn('true', [], { engine: 'uv', [name]: value })).toThrow();
    },
  );
});

// To go through one would take minutes, or all memory.
describe('an array that only claims its length', () => {
  const huge = new Array(2 ** 32 - 1);

  test.each([
    ['args of spawn()', () => spawn('true', huge)],
    ['args with a shell', () => spawn('true', huge, { shell: true })],
    ['args of spawnSync()', () => spawnSync('true', huge)],
    ['args of execFile()', () => execFile('true', huge)],
    ['args of execFileSync()', () => execFileSync('true', huge)],
    ['args of ChildProcess', () => new ChildProcess().spawn({ file: 'true', args: huge })],
    ['stdio of spawn()', () => spawn('true', [], { stdio: huge })],
    ['stdio of spawnSync()', () => spawnSync('true', [], { stdio: huge })],
    ['groups', () => spawn('true', [], { groups: huge })],
  ])('is refused as %s', (_, call) => {
    expect(call).toThrow(expect.objectContaining(RANGE));
  });

  test('is refused as args of run()', async () => {
    await expect((async () => run('true', huge))()).rejects.toMatchObject(RANGE);
  });
});

describe('ChildProcess', () => {
  test('spawn() of it takes what Node takes', async () => {
    const child = closing(new ChildProcess());
    expect(child.spawn({ file: '/bin/sh', args: ['name', '-c', 'echo $0 $A'], envPairs: ['A=b'] })).toBe(0);
    expect(child.spawnargs).toEqual(['name', '-c', 'echo $0 $A']);
    expect((await ended(child)).stdout).toBe('name b\n');
  });

  test.each([
    [undefined, 'The "options" argument must be of type object. Received undefined'],
    [{}, 'The "options.file" property must be of type string. Received undefined'],
    [{ file: 'a', args: 'b' }, /"options.args" property must be an instance of Array/],
  ])('spawn(%p) of it is refused', (options, message) => {
    expect(() => new ChildProcess().spawn(options)).toThrow(message);
  });
});
