'use strict';

// Whatever is wrong gives EINVAL, from both forms; nothing throws or aborts.

const { errno } = require('node:os').constants;
const { ProcessWrap, spawnSync } = require('../../lib/base/binding');
const { script, start } = require('../helpers/spawning');

const WRONG = [undefined, null, 0, '', [], {}, () => {}, Symbol.iterator, 1n];
const WRONG_FIELDS = [
  ['file', [undefined, null, 1, 'a\0b', {}]],
  ['args', [undefined, null, 'a', [], [1], ['a\0'], [undefined], { length: 1, 0: 'a' }]],
  ['envPairs', ['A=1', ['A=\0'], [1], {}]],
  ['cwd', [1, 'a\0b', {}]],
  ['detached', [1, 'true']],
  ['uid', ['0', 1.5, NaN, Infinity, 2 ** 32, -(2 ** 31) - 1]],
  ['gid', ['0', 1.5, NaN, Infinity, 2 ** 32]],
  ['groups', [1, ['1'], [1.5], [NaN]]],
  ['umask', [-1, 0o1000, '22', 1.5]],
  ['rlimits', [{}, [7], [[]], [[7]], [[7, -1, 1]], [[7, 1, NaN]], [['7', 1, 1]], [[7, 1, 2 ** 64]]]],
  ['processGroup', ['0', 1.5, 2 ** 31]],
  ['priority', ['0', 1.5]],
  ['parentDeathSignal', ['SIGTERM', 1.5]],
  ['controllingTerminal', [-1, 3, '0']],
  ['noNewPrivileges', [1]],
  ['closeDescriptors', [0]],
  ['engine', ['', 'fork', 1]],
];
const WRONG_SYNC_FIELDS = [
  ['maxBuffer', [-1, NaN, '1']],
  ['timeout', [-1, NaN, '1']],
  ['forceKillAfter', [-1, NaN, '1']],
  ['killSignal', ['SIGTERM', 1.5]],
  ['closeOn', [1, 'close']],
];

// Four thousand million holes.
const ENDLESS = new Array(2 ** 32 - 1);
for (const field of ['args', 'envPairs', 'groups', 'rlimits']) WRONG_FIELDS.push([field, [ENDLESS]]);

const WRONG_STDIO = [undefined, null, 'pipe', [-2], [1.5], ['1'], [NaN], [2 ** 31], [null], ENDLESS];
const WRONG_PIPES = [1, [-1], [3], [1, 1], ['1'], ENDLESS];
const WRONG_INPUT = ['text', ['text'], [1], [{}]];

const FORMS = [
  ['ProcessWrap', (options, stdio) => new ProcessWrap().spawn(options, stdio)],
  ['spawnSync', (options, stdio) => spawnSync(options, stdio)],
];

const OPTIONAL = WRONG_FIELDS.map(([name]) => name).filter((name) => name !== 'file' && name !== 'args');
const OPTIONAL_SYNC = WRONG_SYNC_FIELDS.map(([name]) => name);

describe.each(FORMS)('%s', (_, spawn) => {
  test.each(WRONG.map((value) => [value]))('refuses %p as the options', (value) => {
    expect(spawn(value, [])).toBe(-errno.EINVAL);
  });

  test.each(WRONG_FIELDS)('refuses a wrong %s', (name, values) => {
    for (const value of values) expect(spawn(script('', { [name]: value }), [])).toBe(-errno.EINVAL);
  });

  test('refuses a wrong stdio', () => {
    for (const stdio of WRONG_STDIO) expect(spawn(script(''), stdio)).toBe(-errno.EINVAL);
  });

  test.each(['cwd', 'closeDescriptors'])('passes the exception of the getter %s on', (name) => {
    const options = script('');
    const get = () => {
      throw new TypeError('mine');
    };
    Object.defineProperty(options, name, { get });
    expect(() => spawn(options, [])).toThrow('mine');
  });
});

test.each(WRONG_SYNC_FIELDS)('spawnSync refuses a wrong %s', (name, values) => {
  for (const value of values) expect(spawnSync(script('', { [name]: value }), [])).toBe(-errno.EINVAL);
});

test('spawnSync refuses wrong pipes and a wrong input', () => {
  for (const pipes of WRONG_PIPES) expect(spawnSync(script(''), [], pipes)).toBe(-errno.EINVAL);
  for (const input of WRONG_INPUT) expect(spawnSync(script(''), [], [], input)).toBe(-errno.EINVAL);
});

test.each([[null], [undefined]])('takes %p for an option that was not given', (value) => {
  const options = script('exit 3');
  for (const name of new Set([...OPTIONAL, ...OPTIONAL_SYNC])) options[name] = value;
  expect(spawnSync(options, [], value, value)).toMatchObject({ status: 3, error: 0 });
  expect(start(options)).toMatchObject({ error: 0 });
});
