'use strict';

// What is executed, where, with which environment.

const fs = require('node:fs');
const path = require('node:path');
const { pathToFileURL } = require('node:url');

const { spawn } = require('../../lib/child_process');
const { closing } = require('../helpers/closing');
const { ENGINES, ended } = require('../helpers/children');
const { temporaryFolder } = require('../helpers/socket_path');

function program(folder, name, text, mode = 0o755) {
  const file = path.join(folder, name);
  fs.writeFileSync(file, text);
  fs.chmodSync(file, mode);
  return file;
}

describe.each(ENGINES)('with the engine %s', (engine) => {
  const output = async (file, args, options) => {
    const { stdout } = await ended(closing(spawn(file, args, { engine, ...options })));
    return stdout;
  };

  test('the PATH of env says where to look', async () => {
    const folder = temporaryFolder();
    program(folder, 'pw-tool', '#!/bin/sh\necho found\n');
    expect(await output('pw-tool', [], { env: { PATH: `/nonexistent:${folder}` } })).toBe('found\n');
  });

  test('without PATH there are the usual folders', async () => {
    expect(await output('echo', ['x'], { env: {} })).toBe('x\n');
  });

  test('a script without #! is run by /bin/sh', async () => {
    const file = program(temporaryFolder(), 'script', 'echo "$0 $1"\n');
    expect(await output(file, ['one'])).toBe(`${file} one\n`);
  });

  test('env is all of the environment, undefined left out', async () => {
    expect(await output('/usr/bin/env', [], { env: { A: '1', B: undefined, C: '' } })).toBe('A=1\nC=\n');
  });

  test('a process without env has ours', async () => {
    process.env.PW_TEST = 'ours';
    closing(() => delete process.env.PW_TEST);
    expect(await output('sh', ['-c', 'echo $PW_TEST'])).toBe('ours\n');
  });

  test('argv0 is its name', async () => {
    expect(await output('sh', ['-c', 'cat /proc/$$/cmdline'], { argv0: 'other' })).toBe(
      'other\0-c\0cat /proc/$$/cmdline\0',
    );
  });

  test.each([
    ['a path', (folder) => folder],
    ['a URL', (folder) => pathToFileURL(folder)],
    ['a Buffer', (folder) => Buffer.from(folder)],
  ])('cwd is %s', async (_, toCwd) => {
    const folder = fs.realpathSync(temporaryFolder());
    expect(await output('pwd', [], { cwd: toCwd(folder) })).toBe(`${folder}\n`);
  });

  test('shell: true runs a command line', async () => {
    expect(await output('echo a; echo b', { shell: true })).toBe('a\nb\n');
  });

  test('shell: a file runs it', async () => {
    expect(await output('echo $0', { shell: '/bin/sh' })).toBe('/bin/sh\n');
  });

  test('signals are at their defaults in the child, none is blocked', async () => {
    const stdout = await output('sed', ['-n', '/Sig[BI]/p', '/proc/self/status']);
    expect(stdout.match(/\t\w+/g)).toEqual(['\t0000000000000000', '\t0000000000000000']);
  });

  test('detached gives it a session of its own', async () => {
    const child = closing(spawn('sh', ['-c', 'cut -d" " -f5,6 /proc/$$/stat'], { engine, detached: true }));
    expect((await ended(child)).stdout).toBe(`${child.pid} ${child.pid}\n`);
  });
});
