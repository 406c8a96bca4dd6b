'use strict';

// `pipewright cluster`, in processes of its own.

const { execFileSync, spawn } = require('node:child_process');
const { once } = require('node:events');
const fs = require('node:fs');
const http = require('node:http');
const path = require('node:path');
const { gone, said, textOf } = require('../helpers/children');
const { closing } = require('../helpers/closing');
const { COMMAND, runCommand, startCommand } = require('../helpers/command');
const { testNeeding } = require('../helpers/needed_programs');
const { socketPath } = require('../helpers/socket_path');

const PROGRAM = path.join(__dirname, '../fixtures/cluster/unchanged_server.js');
const UNREADY = path.join(__dirname, '../fixtures/cluster/unready_worker.js');
const program = (target) => [PROGRAM, '--', 'http', JSON.stringify(target)];

async function ask(target) {
  const [response] = await once(http.get({ agent: false, ...target }), 'response');
  return JSON.parse(await textOf(response));
}

describe('help', () => {
  test('is printed, with status 0', () => {
    const text = execFileSync(COMMAND, ['cluster', '--help'], { encoding: 'utf8' });
    for (const word of ['--workers', '--listen', 'SIGTERM', 'pipewright cluster app.js']) expect(text).toContain(word);
    for (const line of text.split('\n')) expect(line.length).toBeLessThanOrEqual(100);
  });

  test('is what comes without a command, with status 2', async () => {
    expect(await runCommand([])).toMatchObject({ code: 2, output: expect.stringContaining('Usage: pipewright') });
  });
});

describe('wrong usage is said in one line, with status 2', () => {
  test.each([
    ['no program', [], "missing required argument 'program'"],
    ['an option that there is not', [PROGRAM, '--foo'], "unknown option '--foo'"],
    ['workers that are no number', [PROGRAM, '-w', 'x'], "option '--workers' takes a number, and not 'x'"],
    ['an unknown schedule', [PROGRAM, '-s', 'x'], '"--schedule" must be one of'],
    ['a mode that is none', [PROGRAM, '-l', '/s', '-m', '9'], '"--mode" must be an octal number'],
  ])('%s', async (_, args, text) => {
    const { code, output } = await runCommand(['cluster', ...args]);
    expect(output).toMatch(/^pipewright: .*\n$/);
    expect(output).toContain(text);
    expect(code).toBe(2);
  });
});

describe('a failure has status 1', () => {
  test.each([
    ['a program that is not there', ['/nowhere/app.js'], 'cannot find the program /nowhere/app.js'],
    ['a place where nothing can listen', [PROGRAM, '-l', '/nowhere/s'], '/nowhere/s'],
    ['systemd that passes nothing', [PROGRAM, '-l', 'systemd'], 'systemd has passed no sockets'],
    ['a program that ends before it listens', [UNREADY, '-w', '2', '--', 'end'], 'no worker has come to listen'],
  ])('%s', async (_, args, text) => {
    const { code, output } = await runCommand(['cluster', ...args]);
    expect(output).toContain(text);
    expect(code).toBe(1);
  });
});

test('runs a program on a path with the mode that was asked for, until SIGTERM', async () => {
  const socket = socketPath();
  const command = startCommand(['cluster', '--workers', 2, '--listen', socket, '--mode', 640, ...program({ port: 1 })]);
  await command.said('2 workers are ready');
  expect(fs.statSync(socket).mode & 0o777).toBe(0o640);
  const answers = [await ask({ socketPath: socket }), await ask({ socketPath: socket })];
  expect(answers.map(({ worker }) => worker).sort()).toEqual([1, 2]);
  command.kill('SIGTERM');
  expect(await command.ended).toMatchObject({ code: 0, signal: null });
  expect(fs.existsSync(socket)).toBe(false);
});

test('listens at several addresses', async () => {
  const socket = socketPath();
  const command = startCommand(['cluster', '-w', 1, '-l', socket, '-l', '127.0.0.1:0', ...program({ port: 1 })]);
  const output = await command.said('1 workers are ready');
  const [, port] = /listening at 127\.0\.0\.1:(\d+)/.exec(output);
  for (const target of [{ socketPath: socket }, { port }]) expect((await ask(target)).address).toBe(socket);
});

test("listens at the program's own address without --listen, and says where", async () => {
  const command = startCommand(['cluster', '-w', 2, ...program({ port: 0, host: '127.0.0.1' })]);
  const output = await command.said('2 workers are ready');
  const [, port] = /listening at 127\.0\.0\.1:(\d+)/.exec(output);
  expect((await ask({ port })).address.port).toBe(Number(port));
});

test('starts another worker for one that was killed', async () => {
  const socket = socketPath();
  const command = startCommand(['cluster', '-w', 1, '-l', socket, ...program({ port: 1 })]);
  await command.said('1 workers are ready');
  const { pid } = await ask({ socketPath: socket });
  process.kill(pid, 'SIGKILL');
  await command.said(`worker 1 (process ${pid}) has ended by SIGKILL`);
  expect((await ask({ socketPath: socket })).worker).toBe(2);
});

test('SIGINT at a terminal, which reaches the workers too, lets them finish', async () => {
  const socket = socketPath();
  const command = startCommand(['cluster', '-w', 1, '-l', socket, ...program({ port: 1 })], { detached: true });
  await command.said('1 workers are ready');
  const answered = ask({ socketPath: socket, path: '/wait' });
  await once(http.get({ agent: false, socketPath: socket }), 'response'); // The other request is being waited for.
  process.kill(-command.pid, 'SIGINT');
  expect((await answered).isListening).toBe(false);
  expect(await command.ended).toMatchObject({ code: 0, signal: null });
});

test('SIGHUP reloads', async () => {
  const socket = socketPath();
  const command = startCommand(['cluster', '-w', 1, '-l', socket, ...program({ port: 1 })]);
  await command.said('1 workers are ready');
  command.kill('SIGHUP');
  await command.said('reloaded');
  expect(await ask({ socketPath: socket })).toMatchObject({ worker: 2, primary: command.pid });
});

test('a program that is a link is what it leads to at each reload', async () => {
  const socket = socketPath();
  const [link, ...releases] = ['app.js', 'first.js', 'second.js'].map((name) => path.join(path.dirname(socket), name));
  const server = (text) => `require('http').createServer((_, response) => response.end('"${text}"')).listen(1)`;
  for (const file of releases) fs.writeFileSync(file, server(path.basename(file)));
  fs.symlinkSync(releases[0], link);
  const command = startCommand(['cluster', '-w', 1, '-l', socket, link]);
  await command.said('1 workers are ready');
  expect(await ask({ socketPath: socket })).toBe('first.js');
  fs.unlinkSync(link);
  fs.symlinkSync(releases[1], link);
  command.kill('SIGHUP');
  await command.said('reloaded');
  expect(await ask({ socketPath: socket })).toBe('second.js');
});

test('SIGUSR2 starts a new primary, which takes the place of the old one', async () => {
  const [socket, status] = [socketPath(), socketPath('status')]; // The new one waits for the latter.
  const command = startCommand(['cluster', '-w', 1, '-l', socket, '--status', status, ...program({ port: 1 })]);
  await command.said('1 workers are ready');
  command.kill('SIGUSR2');
  expect(await once(command, 'exit')).toEqual([0, null]);
  const { primary, address } = await ask({ socketPath: socket });
  closing(() => gone(primary));
  expect(primary).not.toBe(command.pid);
  expect(address).toBe(socket);
  process.kill(primary, 'SIGTERM');
  await command.ended; // The new one has its output.
  expect(fs.existsSync(socket)).toBe(false);
});

testNeeding('systemd-socket-activate')('takes the sockets that systemd passes', async () => {
  const socket = socketPath();
  const service = [process.execPath, COMMAND, 'cluster', '-w', 1, '-l', 'systemd', ...program({ port: 1 })];
  const activator = closing(spawn('systemd-socket-activate', ['-l', socket, ...service.map(String)]));
  await said(activator.stderr.setEncoding('utf8'), 'Listening on');
  expect(await ask({ socketPath: socket })).toMatchObject({ worker: 1, address: socket });
  activator.kill('SIGTERM'); // It is the command by now.
  expect(await once(activator, 'exit')).toEqual([0, null]);
});
