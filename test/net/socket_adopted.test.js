'use strict';

// new Socket({ fd }): sockets, FIFOs, pipes and ttys of other makes; and what is refused.

const { execFileSync, spawn } = require('node:child_process');
const dgram = require('node:dgram');
const { once } = require('node:events');
const fs = require('node:fs');
const nodeNet = require('node:net');
const path = require('node:path');
const net = require('../../lib/net');
const { closing } = require('../helpers/closing');
const { outputOf, runFixture, startFixture } = require('../helpers/child');
const { testNeeding } = require('../helpers/needed_programs');
const { readAll } = require('../helpers/net_pair');
const { socketPath, temporaryFolder } = require('../helpers/socket_path');
const binding = require('../../lib/base/binding');

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
    const { stdout } = await runFixture('net/stdio_by_fd.js', [], {
      input: 'question',
      stdio: [stdio, 'pipe', 'pipe'],
    });
    expect(stdout).toBe('got question');
  }
  const piped = execFileSync('sh', [
    '-c',
    'printf question | "$0" "$1" | cat',
    process.execPath,
    path.join(__dirname, '../fixtures/net/stdio_by_fd.js'),
  ]);
  expect(String(piped)).toBe('got question');
});

testNeeding('script')('a tty is read and written', async () => {
  const program = `${process.execPath} ${path.join(__dirname, '../fixtures/net/stdio_by_fd.js')}`;
  const script = closing(spawn('script', ['-qec', program, '/dev/null'], { stdio: ['pipe', 'pipe', 'ignore'] }));
  script.stdin.write('typed\n\u0004');
  expect(await readAll(script.stdout)).toMatch(/got typed/);
});

test('a server listens on a socket it was given', async () => {
  const listenPath = socketPath();
  const child = startFixture(
    'net/listening_fd.py',
    [listenPath, process.execPath, path.join(__dirname, '../fixtures/net/serve_fd.js')],
    { program: 'python3' },
  );
  await outputOf(child, `serving ${listenPath}`);
  const client = closing(net.connect(listenPath));
  expect(await readAll(client)).toBe('from the given socket');
  await child.result;
  expect(fs.existsSync(listenPath)).toBe(true); // Not ours, so it stays.
});

const one = (pair) => {
  closing(pair[1]);
  return pair[0];
};

const KINDS = {
  'a plain file': [() => fs.openSync(__filename), 'FILE'],
  'a folder': [() => fs.openSync(__dirname), 'UNKNOWN'],
  '/dev/null': [() => fs.openSync('/dev/null', 'r+'), 'FILE'],
  '/dev/zero': [() => fs.openSync('/dev/zero'), 'FILE'],
  'a datagram socket': [() => one(binding.socketPair(2)), 'UNKNOWN'],
  'a seqpacket socket': [() => one(binding.socketPair(5)), 'UNKNOWN'],
};

test.each(Object.keys(KINDS))('issue 9: %s is refused as by Node and stays open, with no handle left', async (kind) => {
  const [make, type] = KINDS[kind];
  const fd = closing(make());
  const before = binding.activeHandles();
  const error = { code: 'ERR_INVALID_FD_TYPE', message: `Unsupported fd type: ${type}` };
  for (const { Socket } of [nodeNet, net]) expect(() => new Socket({ fd })).toThrow(expect.objectContaining(error));
  expect(() => fs.fstatSync(fd)).not.toThrow();
  await new Promise(setImmediate);
  await new Promise(setImmediate);
  expect(binding.activeHandles()).toBe(before);
});

test('issue 9: a UDP socket is refused as by Node', async () => {
  const socket = dgram.createSocket('udp4');
  closing(() => socket.close());
  await once(socket.bind(0), 'listening');
  const fd = fdOfUdp();
  for (const { Socket } of [nodeNet, net]) expect(() => new Socket({ fd })).toThrow('Unsupported fd type: UDP');
});

const fdOfUdp = () =>
  fs
    .readdirSync('/proc/self/fd')
    .map(Number)
    .find((fd) => binding.descriptorType(fd) === 'udp');

describe('issue 9: a descriptor that is not connected', () => {
  test.each(['descriptors', 'plain'])('%s: connects', async (kind) => {
    const server = closing(net.createServer((socket) => socket.end('served')));
    const address = socketPath('server');
    await once(server.listen(address), 'listening');
    const program = path.join(__dirname, '../fixtures/net/connect_bound.js');
    const bound = socketPath('bound');
    const args = [bound, process.execPath, program, address, kind];
    const { stdout, stderr } = await runFixture('net/listening_fd.py', args, { program: 'python3' });
    expect({ stdout, stderr }).toEqual({ stdout: 'served', stderr: '' });
  });
});
