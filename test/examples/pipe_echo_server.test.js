'use strict';

// examples/pipe_echo_server.js, used as its head says: with socat.

const { execFile, spawn } = require('node:child_process');
const { once } = require('node:events');
const fs = require('node:fs');
const path = require('node:path');
const { promisify } = require('node:util');
const { closing } = require('../helpers/closing');
const { testNeeding } = require('../helpers/needed_programs');
const { temporaryFolder } = require('../helpers/socket_path');

const PROGRAM = path.join(__dirname, '../../examples/pipe_echo_server.js');

let inputs = 0;

// Started in a folder of the test's own, where it makes echo.sock.
async function startServer(cwd = temporaryFolder()) {
  const server = closing(spawn(process.execPath, [PROGRAM], { cwd, stdio: ['ignore', 'pipe', 'inherit'] }));
  await once(server.stdout, 'data');
  return { cwd, file: path.join(cwd, 'echo.sock'), server };
}

// By a file, since execFile() has no input and cuts output at a megabyte.
async function socat(cwd, input) {
  const file = path.join(cwd, `input-${inputs++}`);
  fs.writeFileSync(file, input);
  const command = `socat -t 5 - UNIX-CONNECT:echo.sock < ${file}`;
  const { stdout } = await promisify(execFile)('sh', ['-c', command], { cwd, maxBuffer: 2 ** 24 });
  return stdout;
}

testNeeding('socat')('socat gets back what it sends', async () => {
  const { cwd } = await startServer();
  expect(await socat(cwd, 'hello\nworld\n')).toBe('hello\nworld\n');
});

testNeeding('socat')('many clients get back their own bytes, a megabyte each', async () => {
  const { cwd } = await startServer();
  const texts = ['a', 'b', 'c', 'd'].map((letter) => letter.repeat(2 ** 20));
  const outputs = await Promise.all(texts.map((text) => socat(cwd, text)));
  expect(outputs.map((output, i) => output === texts[i])).toEqual([true, true, true, true]);
});

test('SIGINT ends it with status 0, and its file is gone', async () => {
  const { file, server } = await startServer();
  expect(fs.lstatSync(file).isSocket()).toBe(true);
  server.kill('SIGINT');
  expect(await once(server, 'exit')).toEqual([0, null]);
  expect(fs.existsSync(file)).toBe(false);
});

testNeeding('socat')('the file of a server that was killed is no obstacle', async () => {
  const { cwd, file, server } = await startServer();
  server.kill('SIGKILL');
  await once(server, 'exit');
  expect(fs.existsSync(file)).toBe(true);
  await startServer(cwd);
  expect(await socat(cwd, 'again')).toBe('again');
});

test('a second one says EADDRINUSE and ends with status 1', async () => {
  const { cwd } = await startServer();
  const second = closing(spawn(process.execPath, [PROGRAM], { cwd }));
  const [[message], [status]] = await Promise.all([once(second.stderr, 'data'), once(second, 'exit')]);
  expect(String(message)).toBe('listen EADDRINUSE: address already in use echo.sock\n');
  expect(status).toBe(1);
});
