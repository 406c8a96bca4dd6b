'use strict';

// A server removes the file that it made, and no other, however it ends.

const { once } = require('node:events');
const fs = require('node:fs');
const path = require('node:path');
const net = require('../../lib/net');
const nodeNet = require('node:net');
const { Listener } = require('../../lib/base/binding');
const { closing } = require('../helpers/closing');
const { outputOf, runFixture, startFixture } = require('../helpers/child');
const { socketPath, temporaryFolder } = require('../helpers/socket_path');

async function listen(options) {
  const server = closing(net.createServer());
  await once(server.listen(options), 'listening');
  return server;
}

test('close() removes the file, before it returns', async () => {
  const server = await listen(socketPath());
  const file = server.address();
  server.close();
  expect(fs.existsSync(file)).toBe(false);
});

test('a relative path is removed even when the folder was left meanwhile', async () => {
  const { stdout } = await runFixture('net/chdir_and_close.js', [], { cwd: temporaryFolder() });
  expect(stdout).toBe('removed\n');
});

describe('close() leaves what is there now', () => {
  const REPLACEMENTS = {
    'a plain file': (name) => fs.writeFileSync(name, 'precious'),
    'a folder': (name) => fs.mkdirSync(name),
    'a symbolic link': (name) => fs.symlinkSync('/dev/null', name),
  };
  test.each(Object.keys(REPLACEMENTS))('%s', async (kind) => {
    const server = await listen(socketPath());
    const file = server.address();
    fs.unlinkSync(file);
    await REPLACEMENTS[kind](file);
    const { ino } = fs.lstatSync(file);
    await once(server.close(), 'close');
    expect(fs.lstatSync(file).ino).toBe(ino);
  });

  test("the socket of the next server, Node's or ours", async () => {
    for (const { createServer } of [net, nodeNet]) {
      const old = await listen(socketPath());
      const file = old.address();
      fs.unlinkSync(file);
      const next = closing(createServer((socket) => socket.end('next')));
      await once(next.listen(file), 'listening');
      await once(old.close(), 'close');
      const client = closing(net.connect(file));
      expect(String((await once(client, 'data'))[0])).toBe('next');
    }
  });

  test('a second link, and removes only the name it bound', async () => {
    const server = await listen(socketPath());
    const file = server.address();
    fs.linkSync(file, `${file}2`);
    await once(server.close(), 'close');
    expect(fs.readdirSync(path.dirname(file))).toEqual(['s2']);
  });
});

test('keepFile() leaves the file to whom the socket was handed', () => {
  const listener = new Listener();
  const file = socketPath();
  expect(listener.listenOnPath({ path: file })).toBe(0);
  listener.keepFile();
  return new Promise((resolve) => listener.close(resolve)).then(() => expect(fs.existsSync(file)).toBe(true));
});

test.each(['exit', 'uncaught', 'rejection', 'end', 'worker_exit', 'worker_uncaught', 'worker_terminate'])(
  'the file is gone after %s',
  async (way) => {
    const file = socketPath();
    const { stdout } = await runFixture('net/ways_to_end.js', [way, file]);
    expect(stdout).toBe('listening\n');
    expect(fs.existsSync(file)).toBe(false);
  },
);

test('SIGTERM without a handler leaves the file, which replaceStale then takes', async () => {
  const file = socketPath();
  const child = startFixture('net/echo_server.js', [JSON.stringify({ path: file })]);
  await outputOf(child, 'listening');
  child.kill('SIGTERM');
  await child.result;
  expect(fs.existsSync(file)).toBe(true);
  await listen({ path: file, replaceStale: true });
});

test('an exit leaves what somebody else has put in its place', async () => {
  const file = socketPath();
  const { stdout } = await runFixture('net/ways_to_end.js', ['replaced', file]);
  expect([stdout, fs.readFileSync(file, 'utf8')]).toEqual(['listening\n', 'precious']);
});

test('a listen that failed removes nothing', async () => {
  const live = await listen(socketPath());
  const second = net.createServer();
  second.on('error', () => {});
  second.listen(live.address());
  await once(second, 'error');
  second.close();
  expect(fs.lstatSync(live.address()).isSocket()).toBe(true);
});

test('listening on one path a thousand times leaves nothing', async () => {
  const file = socketPath();
  const server = net.createServer();
  for (let i = 0; i < 1000; i++) {
    await once(server.listen(file), 'listening');
    await once(server.close(), 'close');
  }
  expect(fs.readdirSync(path.dirname(file))).toEqual([]);
});
