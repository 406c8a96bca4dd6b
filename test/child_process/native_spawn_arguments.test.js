'use strict';

// Whatever is wrong gives EINVAL, from both forms; nothing throws or aborts.

const { errno } = require('node:os').constants;
const { ProcessWrap, spawnSync } = require('../../lib/base/binding');
const { script } = require('../helpers/spawning');

const WRONG = [undefined, null, 0, '', [], {}, () => {}, Symbol.iterator, 1n];
const WRONG_FIELDS = [
  ['file', [undefined, null, 1, 'a\0b', {}]],
  ['args', [undefined, null, 'a', [], [1], ['a\0'], [undefined], { length: 1, 0: 'a' }]],
  ['env', [null, 'A=1', ['A=\0'], [1], {}]],
  ['cwd', [null, 1, 'a\0b', {}]],
  ['stdio', [undefined, null, 'pipe', [-2], [1.5], ['1'], [NaN], [2 ** 31], [null]]],
  ['detached', [null, 1, 'true']],
  ['uid', [null, '0', 1.5, NaN, Infinity, 2 ** 32, -(2 ** 31) - 1]],
  ['gid', [null, '0', 1.5, NaN, Infinity, 2 ** 32]],
  ['groups', [null, 1, ['1'], [1.5], [NaN]]],
  ['umask', [null, -1, 0o1000, '22', 1.5]],
  ['rlimits', [null, {}, [7], [[]], [[7]], [[7, -1, 1]], [[7, 1, NaN]], [['7', 1, 1]], [[7, 1, 2 ** 64]]]],
  ['processGroup', [null, '0', 1.5, 2 ** 31]],
  ['priority', [null, '0', 1.5]],
  ['parentDeathSignal', [null, 'SIGTERM', 1.5]],
  ['controllingTerminal', [null, -1, 3, '0']],
  ['noNewPrivileges', [null, 1]],
  ['closeDescriptors', [null, 0]],
  ['engine', [null, '', 'fork', 1]],
];
const WRONG_SYNC_FIELDS = [
  ['pipes', [null, 1, [-1], [3], [1, 1], ['1']]],
  ['input', [null, 'text', ['text'], [1], [{}]]],
  ['maxBuffer', [null, -1, NaN, '1']],
  ['timeout', [null, -1, NaN, '1']],
  ['forceKillAfter', [null, -1, NaN, '1']],
  ['killSignal', [null, 'SIGTERM', 1.5]],
  ['closeOn', [null, 1, 'close']],
];

// Four thousand million holes.
const ENDLESS = new Array(2 ** 32 - 1);
for (const field of ['args', 'env', 'stdio', 'groups', 'rlimits']) WRONG_FIELDS.push([field, [ENDLESS]]);
WRONG_SYNC_FIELDS.push(['pipes', [ENDLESS]]);

const FORMS = [
  ['ProcessWrap', (options) => new ProcessWrap().spawn(options)],
  ['spawnSync', spawnSync],
];

describe.each(FORMS)('%s', (_, spawn) => {
  test.each(WRONG.map((value) => [value]))('refuses %p as the options', (value) => {
    expect(spawn(value)).toBe(-errno.EINVAL);
  });

  test.each(WRONG_FIELDS)('refuses a wrong %s', (name, values) => {
    for (const value of values) expect(spawn(script('', { [name]: value }))).toBe(-errno.EINVAL);
  });

  test('passes the exception of a getter on', () => {
    const options = script('');
    const get = () => {
      throw new TypeError('mine');
    };
    Object.defineProperty(options, 'cwd', { get });
    expect(() => spawn(options)).toThrow('mine');
  });
});

test.each(WRONG_SYNC_FIELDS)('spawnSync refuses a wrong %s', (name, values) => {
  for (const value of values) expect(spawnSync(script('', { [name]: value }))).toBe(-errno.EINVAL);
});
