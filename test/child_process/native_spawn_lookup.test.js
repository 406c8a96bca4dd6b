'use strict';

const fs = require('node:fs');
const { errno } = require('node:os').constants;
const path = require('node:path');
const { temporaryFolder } = require('../helpers/socket_path');
const { ENGINES } = require('../helpers/children');
const { run, script, start } = require('../helpers/spawning');

function program(folder, name, text, mode = 0o755) {
  const file = path.join(folder, name);
  fs.writeFileSync(file, text, { mode });
  return file;
}

describe.each(ENGINES)('the %s engine', (engine) => {
  test('finds a program in the PATH of this process', async () => {
    expect(await run({ engine, file: 'echo', args: ['echo', 'found'] })).toMatchObject({ output: 'found\n', code: 0 });
  });

  test('finds a program in the PATH of the env it is given', async () => {
    const folder = temporaryFolder();
    program(folder, 'ls', '#!/bin/sh\necho mine\n');
    const options = { engine, file: 'ls', args: ['ls'] };
    expect(await run({ ...options, envPairs: [`PATH=/nowhere:${folder}`] })).toMatchObject({ output: 'mine\n' });
  });

  test('looks in /bin and /usr/bin when the env has no PATH', async () => {
    expect(await run({ engine, file: 'echo', args: ['echo', 'x'], envPairs: [] })).toMatchObject({ output: 'x\n' });
  });

  test('takes an empty element of PATH for the directory of the child', async () => {
    const folder = temporaryFolder();
    program(folder, 'here', '#!/bin/sh\necho here\n');
    const options = { engine, file: 'here', args: ['here'], cwd: folder };
    expect(await run({ ...options, envPairs: ['PATH=/nowhere:'] })).toMatchObject({ output: 'here\n' });
  });

  test('runs a script without #! by /bin/sh', async () => {
    const file = program(temporaryFolder(), 'plain', 'echo "$0 $1 $2"\n');
    expect(await run({ engine, file, args: ['x', 'a b', 'c'] })).toMatchObject({ output: `${file} a b c\n` });
  });

  test('runs a script without #! that it found in PATH', async () => {
    const folder = temporaryFolder();
    program(folder, 'plain', 'echo plain\n');
    const options = { engine, file: 'plain', args: ['plain'], envPairs: [`PATH=${folder}:/bin`] };
    expect(await run(options)).toMatchObject({ output: 'plain\n' });
  });

  test('passes over a file that may not be executed', async () => {
    const [first, second] = [temporaryFolder(), temporaryFolder()];
    program(first, 'it', '', 0o644);
    program(second, 'it', '#!/bin/sh\necho second\n');
    const options = { engine, file: 'it', args: ['it'], envPairs: [`PATH=${first}:${second}`] };
    expect(await run(options)).toMatchObject({ output: 'second\n' });
  });

  test('tells EACCES if nothing else was found', () => {
    const folder = temporaryFolder();
    program(folder, 'it', '', 0o644);
    const options = { engine, file: 'it', args: ['it'], envPairs: [`PATH=${folder}:/nowhere`] };
    expect(start(options).error).toBe(-errno.EACCES);
  });

  test.each([
    ['ENOENT', '/nonexistent'],
    ['ENOENT', 'no-such-program'],
    ['ENOENT', ''],
    ['EACCES', '/etc/passwd'],
    ['EACCES', '/etc'],
    ['ENOTDIR', '/etc/passwd/x'],
    ['ENAMETOOLONG', `/${'x'.repeat(256)}`],
  ])('tells %s for %j', (code, file) => {
    // A folder of PATH that this user may not search would make it EACCES.
    const child = start({ engine, file, args: ['x'], envPairs: ['PATH=/usr/bin:/bin'] });
    expect(child).toMatchObject({ error: -errno[code], step: engine === 'vfork' ? 'exec' : undefined, pid: 0 });
  });

  test('tells E2BIG for arguments over the limit', () => {
    expect(start({ engine, args: ['true', 'x'.repeat(200_000)] }).error).toBe(-errno.E2BIG);
  });

  test.each([0, 1, 10_000])('passes %i arguments unchanged', async (count) => {
    const args = Array.from({ length: count }, (_, i) => `ä ${i}`);
    const { output } = await run({ engine, file: 'sh', args: ['sh', '-c', 'printf "%s\\n" "$#" "$@"', 'x', ...args] });
    expect(output).toBe([count, ...args].map((line) => `${line}\n`).join(''));
  });

  test('shows the first argument as the name of the program', async () => {
    expect(await run({ ...script('echo $0'), engine, args: ['other', '-c', 'echo $0'] })).toMatchObject({
      output: 'other\n',
    });
  });

  test('gives the child exactly the env it is given', async () => {
    const envPairs = ['A=1', 'B=x y', 'C=', 'D=ü'];
    expect(await run({ engine, file: '/usr/bin/env', args: ['env'], envPairs })).toMatchObject({
      output: `${envPairs.join('\n')}\n`,
    });
  });

  test('lets the child inherit the env when it is given none', async () => {
    expect(await run({ ...script('echo $HOME'), engine })).toMatchObject({ output: `${process.env.HOME ?? ''}\n` });
  });

  test('starts the child in cwd', async () => {
    const cwd = fs.realpathSync(temporaryFolder());
    expect(await run({ engine, file: 'pwd', args: ['pwd'], cwd })).toMatchObject({ output: `${cwd}\n` });
  });

  test('tells ENOENT for a cwd that is gone', () => {
    const child = start({ engine, cwd: '/nonexistent' });
    expect(child).toMatchObject({ error: -errno.ENOENT, step: engine === 'vfork' ? 'chdir' : undefined });
  });
});
