'use strict';

// new Socket({ fd }): sockets, FIFOs, pipes and ttys of other makes; and what is refused.

const { execFileSync, spawn } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');
const net = require('../../lib/net');
const { closing } = require('../helpers/closing');
const { outputOf, runFixture, startFixture } = require('../helpers/child');
const { testNeeding } = require('../helpers/needed_programs');
const { readAll } = require('../helpers/net_pair');
const { socketPath, temporaryFolder } = require('../helpers/socket_path');
const { activeHandles } = require('../../lib/binding');

function makeFifo() {
  const name = path.join(temporaryFolder(), 'fifo');
  execFileSync('mkfifo', [name]);
  return name;
}

test('a FIFO is read and written', async () => {
  const name = makeFifo();
  const reader = closing(
    new net.Socket({ fd: fs.openSync(name, fs.constants.O_RDONLY | fs.constants.O_NONBLOCK), writable: false }),
  );
  const writer = closing(new net.Socket({ fd: fs.openSync(name, fs.constants.O_WRONLY), readable: false }));
  writer.end('through a fifo');
  expect(await readAll(reader)).toBe('through a fifo');
});

test('a pipe(7) and a socket that a parent made are read and written', async () => {
  for (const stdio of ['pipe', 'overlapped']) {
    const { stdout } = await runFixture('stdio_by_fd.js', [], { input: 'question', stdio: [stdio, 'pipe', 'pipe'] });
    expect(stdout).toBe('got question');
  }
  const piped = execFileSync('sh', [
    '-c',
    'printf question | "$0" "$1" | cat',
    process.execPath,
    path.join(__dirname, '../fixtures/stdio_by_fd.js'),
  ]);
  expect(String(piped)).toBe('got question');
});

testNeeding('script')('a tty is read and written', async () => {
  const program = `${process.execPath} ${path.join(__dirname, '../fixtures/stdio_by_fd.js')}`;
  const script = closing(spawn('script', ['-qec', program, '/dev/null'], { stdio: ['pipe', 'pipe', 'ignore'] }));
  script.stdin.write('typed\n\u0004');
  expect(await readAll(script.stdout)).toMatch(/got typed/);
});

test('a server listens on a socket it was given', async () => {
  const listenPath = socketPath();
  const child = startFixture(
    'listening_fd.py',
    [listenPath, process.execPath, path.join(__dirname, '../fixtures/serve_fd.js')],
    { program: 'python3' },
  );
  await outputOf(child, `serving ${listenPath}`);
  const client = closing(net.connect(listenPath));
  expect(await readAll(client)).toBe('from the given socket');
  await child.result;
  expect(fs.existsSync(listenPath)).toBe(true); // Not ours, so it stays.
});

const KINDS = {
  'a plain file': () => fs.openSync(__filename),
  'a folder': () => fs.openSync(__dirname),
  '/dev/null': () => fs.openSync('/dev/null', 'r+'),
  '/dev/zero': () => fs.openSync('/dev/zero'),
};

test.each(Object.keys(KINDS))('%s is refused and stays open, with no handle left', (kind) => {
  const fd = closing(KINDS[kind]());
  const before = activeHandles();
  expect(() => new net.Socket({ fd })).toThrow();
  expect(() => fs.fstatSync(fd)).not.toThrow();
  return new Promise(setImmediate)
    .then(() => new Promise(setImmediate))
    .then(() => expect(activeHandles()).toBe(before));
});
