'use strict';

// What goes wrong on the way to a child: Node's error in Node's way; and then many more
// children start as if nothing had been, and nothing is left over. Limits of processes
// and of memory: native_spawn_faults.test.js.

const { runFixture } = require('../helpers/child');
const { ENGINES } = require('../helpers/children');
const { CHILDREN } = require('../helpers/stress');

const user = process.getuid() === 0 ? { uid: 1, gid: 1 } : {};

const FAULTS = {
  noSuchFile: 'event ENOENT',
  notExecutable: 'event EACCES',
  isFolder: 'event EACCES',
  noSuchFolder: 'event ENOENT',
  nulInFile: 'thrown ERR_INVALID_ARG_VALUE',
  nulInArgument: 'thrown ERR_INVALID_ARG_VALUE',
  nulInEnv: 'thrown ERR_INVALID_ARG_VALUE',
  tooLarge: 'thrown E2BIG',
  tableFull: 'event EMFILE',
};

test.each(ENGINES)(`faults, and ${CHILDREN} children after them, with the engine %s`, async (engine) => {
  const { stdout, stderr } = await runFixture('child_process/child_faults.js', [engine, CHILDREN], {
    openFiles: 64,
  });
  expect(stderr).toBe('');
  expect(JSON.parse(stdout)).toEqual({
    ...FAULTS,
    asRoot: expect.any(String),
    succeeded: CHILDREN,
    leftFds: 0,
    children: '',
  });
});

test.each(ENGINES)(
  'a user that one may not become, and all the rest as such a user, with the engine %s',
  async (engine) => {
    const { stdout, stderr } = await runFixture('child_process/child_faults.js', [engine, CHILDREN], {
      ...user,
      openFiles: 64,
    });
    expect(stderr).toBe('');
    expect(JSON.parse(stdout)).toEqual({
      ...FAULTS,
      asRoot: 'thrown EPERM',
      succeeded: CHILDREN,
      leftFds: 0,
      children: '',
    });
  },
);
