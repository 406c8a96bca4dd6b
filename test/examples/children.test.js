'use strict';

// The examples that are about child processes and signals, as programs.

const { once } = require('node:events');
const fs = require('node:fs');
const path = require('node:path');

const { spawn } = require('../../lib/child_process');
const net = require('../../lib/net');
const { closing } = require('../helpers/closing');
const { ended, said, textOf, gone } = require('../helpers/children');
const { socketPath, temporaryFolder } = require('../helpers/socket_path');

const start = (name, ...args) =>
  closing(spawn(process.execPath, [path.join(__dirname, '../../examples', name), ...args]));

test('spawn.js makes a folder and tells how that went', async () => {
  const folder = path.join(temporaryFolder(), 'made');
  const { code, stdout } = await ended(start('spawn.js', folder));
  expect(code).toBe(0);
  expect(stdout).toMatch(/^Launched process with ID \d+\nProcess exited with status 0, signal null\nIt took \d+ µs/);
  expect(fs.statSync(folder).isDirectory()).toBe(true);
});

test('detach.js ends at once, its child goes on in a session of its own', async () => {
  const { code, stdout } = await ended(start('detach.js', '60'));
  const pid = Number(/PID (\d+)/.exec(stdout)[1]);
  closing(async () => {
    process.kill(pid, 'SIGKILL');
    await gone(pid);
  });
  expect(code).toBe(0);
  const [, , group, session] = fs
    .readFileSync(`/proc/${pid}/stat`, 'latin1')
    .replace(/^.*\) /s, '')
    .split(' ');
  expect([Number(group), Number(session)]).toEqual([pid, pid]);
});

test('signals.js: four watchers in two threads are called, then it ends', async () => {
  const child = start('signals.js');
  const text = await said(child.stdout.setEncoding('utf8'), 'I am PID');
  expect(text).toContain(String(child.pid));
  child.kill('SIGUSR1');
  const rest = await textOf(child.stdout);
  expect(rest.trim().split('\n').sort()).toEqual([
    'Thread 0, watcher 1: SIGUSR1',
    'Thread 0, watcher 2: SIGUSR1',
    'Thread 1, watcher 1: SIGUSR1',
    'Thread 1, watcher 2: SIGUSR1',
  ]);
  expect(child.exitCode ?? (await once(child, 'exit'))[0]).toBe(0);
});

test('proc_streams.js: only stderr is seen', async () => {
  expect(await ended(start('proc_streams.js'))).toEqual({
    code: 0,
    signal: null,
    stdout: 'The child ended with 0\n',
    stderr: 'This is stderr\n',
  });
});

test('cgi_server.js: ten ticks for each client, and the end', async () => {
  const address = socketPath();
  const server = start('cgi_server.js', address, '5');
  await said(server.stdout.setEncoding('utf8'), 'Listening');
  const clients = Array.from({ length: 5 }, () => closing(net.connect(address)));
  const texts = await Promise.all(clients.map(textOf));
  expect(texts).toEqual(clients.map(() => `${'tick\n'.repeat(10)}BOOM!\n`));
  const closed = once(server, 'exit');
  server.kill('SIGINT');
  expect(await closed).toEqual([0, null]);
  expect(fs.existsSync(address)).toBe(false);
});
