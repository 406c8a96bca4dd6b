'use strict';

// The examples that pass descriptors, run as their heads say.

const { spawn } = require('node:child_process');
const { once } = require('node:events');
const net = require('node:net');
const path = require('node:path');
const { createInterface } = require('node:readline');
const { text } = require('node:stream/consumers');
const { closing } = require('../helpers/closing');
const { temporaryFolder } = require('../helpers/socket_path');

const EXAMPLES = path.join(__dirname, '../../examples');

function start(name, ...args) {
  const child = closing(
    spawn(process.execPath, [path.join(EXAMPLES, name), ...args.map(String)], { stdio: ['ignore', 'pipe', 'inherit'] }),
  );
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  return { child, line: async () => (await lines.next()).value, exited: once(child, 'exit') };
}

// One client: sends a text, and resolves with the reply once it is as long as `length`.
async function ask(target, message, length) {
  const socket = closing(net.connect(target));
  socket.setEncoding('utf8').write(message);
  let reply = '';
  for await (const chunk of socket) {
    reply += chunk;
    if (reply.length >= length) break;
  }
  return reply;
}

test('multi_echo_server.js: 1000 clients get their echo, and the workers equal shares', async () => {
  const { child, line, exited } = start('multi_echo_server.js', 0, 3);
  const port = Number(/port (\d+)/.exec(await line())[1]);
  const message = 'hello world';
  for (let round = 0; round < 10; round++) {
    const clients = Array.from({ length: 100 }, () => ask({ port, host: '127.0.0.1' }, message, message.length));
    expect(new Set(await Promise.all(clients))).toEqual(new Set([message]));
  }
  child.kill('SIGINT');
  const shares = [];
  for (let i = 0; i < 3;) {
    const served = /served (\d+)/.exec(await line());
    if (served !== null && shares.push(Number(served[1])) === 3) break;
  }
  expect(shares.sort()).toEqual([333, 333, 334]);
  expect(await exited).toEqual([0, null]);
});

test('multi_thread_echo.js: each thread serves its share', async () => {
  const file = path.join(temporaryFolder(), 'threads.sock');
  const { child, line, exited } = start('multi_thread_echo.js', file, 3);
  await line();
  const replies = await Promise.all(Array.from({ length: 30 }, () => ask(file, 'hi', 'thread 1: hi'.length)));
  const counts = new Map();
  for (const reply of replies) counts.set(reply, (counts.get(reply) ?? 0) + 1);
  expect([...counts].sort()).toEqual([
    ['thread 1: hi', 10],
    ['thread 2: hi', 10],
    ['thread 3: hi', 10],
  ]);
  child.kill('SIGINT');
  expect(await exited).toEqual([0, null]);
});

test('fd_passer.js: the child writes to what it was passed', async () => {
  const child = closing(
    spawn(process.execPath, [path.join(EXAMPLES, 'fd_passer.js')], { stdio: ['ignore', 'pipe', 'inherit'] }),
  );
  expect(await text(child.stdout)).toBe('the child says: hello over a descriptor that I was passed\n');
});

test('zero_downtime_restart.js: 50 clients keep connecting, and none is refused or reset', async () => {
  const file = path.join(temporaryFolder(), 'server.sock');
  const old = start('zero_downtime_restart.js', file);
  expect(await old.line()).toBe(`${old.child.pid} accepts`);
  const served = new Map();
  const failures = [];
  let goOn = true;
  const clients = Array.from({ length: 50 }, async () => {
    while (goOn) {
      try {
        const reply = await ask(file, 'x', 1);
        const [pid] = reply.split(' ');
        served.set(pid, (served.get(pid) ?? 0) + 1);
        if (reply === '') failures.push('closed without a reply');
      } catch (error) {
        failures.push(error.code);
      }
    }
  });
  while (!served.has(String(old.child.pid))) await new Promise(setImmediate);
  const young = start('zero_downtime_restart.js', file);
  expect(await young.line()).toBe(`${young.child.pid} accepts`);
  await old.exited;
  const before = served.get(String(young.child.pid)) ?? 0;
  while ((served.get(String(young.child.pid)) ?? 0) < before + 200) await new Promise(setImmediate);
  goOn = false;
  await Promise.all(clients);
  expect(failures).toEqual([]);
  expect([...served.keys()].sort()).toEqual([old.child.pid, young.child.pid].map(String).sort());
});
