'use strict';

// A handle is waited for: until the other process has said that it came, or it is known
// that it will not. The child is a Python program, which answers as it likes.

const { AsyncLocalStorage } = require('node:async_hooks');
const { once } = require('node:events');
const path = require('node:path');

const { spawn } = require('../../lib/child_process');
const { kUnordered } = require('../../lib/child_process/ipc/target');
const { socketpair } = require('../../lib/descriptors');
const net = require('../../lib/net');
const { runFixture } = require('../helpers/child');
const { closing } = require('../helpers/closing');

const PEER = path.join(__dirname, '../fixtures/child_process/ipc_peer.py');

const start = (args, options) =>
  closing(
    spawn('python3', [PEER, ...args.map(String)], { stdio: ['ignore', 'inherit', 'inherit', 'ipc'], ...options }),
  );

/** One end of a pair; the other one is closed after the test. */
function endOfPair() {
  const [first, second] = socketpair();
  closing(second);
  return closing(first);
}

/** A server of ours, and a connection of it. */
async function accepted() {
  const server = closing(net.createServer({ pauseOnConnect: true }));
  await once(server.listen(0), 'listening');
  const client = closing(net.connect(server.address().port));
  const [socket] = await once(server, 'connection');
  return { server, client, socket };
}

/** Sends a handle. @returns what became of it, and notes each call of the callback in `calls` */
function send(child, message, handle, calls = [], options = undefined) {
  return new Promise((resolve) => {
    child.send(message, handle, options, (error) => {
      calls.push(message);
      resolve(error === null ? 'delivered' : error.code);
    });
  });
}

const reply = async (child) => (await once(child, 'message'))[0];

test('messages and handles behind a handle wait for it, and keep their order', async () => {
  const child = start(['late', 1]);
  const calls = [];
  const sent = [send(child, 'first', endOfPair(), calls), send(child, 'go on', undefined, calls)];
  expect(await reply(child)).toBe('taken');
  expect(calls).toEqual([]);
  child.kill();
  await Promise.all(sent);
  expect(calls).toEqual(['first', 'go on']);
});

test('what was refused is sent again, the same line, until it is taken', async () => {
  const child = start(['refuse', 3]);
  const calls = [];
  const socket = endOfPair();
  const { lines } = await Promise.all([reply(child), send(child, { a: 'ü' }, socket, calls)]).then(([first]) => first);
  expect(new Set(lines).size).toBe(1);
  expect(lines).toHaveLength(4);
  expect(JSON.parse(lines[0])).toEqual({ cmd: 'NODE_HANDLE', type: 'net.Socket', msg: { a: 'ü' } });
  expect(calls).toEqual([{ a: 'ü' }]);
  expect(socket.isOpen).toBe(false);
});

test('a server and a kept socket are sent again too', async () => {
  const server = closing(net.createServer());
  await once(server.listen(0), 'listening');
  for (const [handle, options] of [
    [server, undefined],
    [endOfPair(), { keepOpen: true }],
  ]) {
    const child = start(['refuse', 1]);
    const [{ lines }, outcome] = await Promise.all([reply(child), send(child, 'x', handle, [], options)]);
    expect([lines[0], outcome]).toEqual([lines[1], 'delivered']);
  }
});

test('handleTimeout: the handle stays ours, and what is behind it goes on', async () => {
  const child = start(['late', 2], { handleTimeout: 50 });
  const [first, second] = [endOfPair(), endOfPair()];
  const calls = [];
  const outcomes = [send(child, 'first', first, calls), send(child, 'second', second, calls)];
  expect(await outcomes[0]).toBe('ERR_IPC_HANDLE_NOT_ACKNOWLEDGED');
  expect(first.isOpen).toBe(true);
  expect(await reply(child)).toBe('taken');
  expect(await outcomes[1]).toBe('ERR_IPC_HANDLE_NOT_ACKNOWLEDGED');
  // Acknowledgements that come too late are for no other handle.
  child.send('acknowledge');
  expect(await reply(child)).toBe('acknowledged');
  expect(calls).toEqual(['first', 'second']);
});

test.each([
  ['is killed', ['silent', 1]],
  ['closes the channel', ['leaving', 1]],
])('a child that %s before it has acknowledged', async (_, args) => {
  const child = start(args, { stdio: ['pipe', 'inherit', 'inherit', 'ipc'] });
  const socket = endOfPair();
  const calls = [];
  const outcomes = [send(child, 'handle', socket, calls), send(child, 'behind', undefined, calls)];
  child.once('message', () => child.kill('SIGKILL'));
  expect(await Promise.all(outcomes)).toEqual(['ERR_IPC_CHANNEL_CLOSED', 'ERR_IPC_CHANNEL_CLOSED']);
  expect(calls).toEqual(['handle', 'behind']);
  expect(socket.isOpen).toBe(true);
});

// A sender without a callback could not learn that a socket is its own again.
test('without a callback: a warning, once, no error, and what was sent is closed', async () => {
  expect(await runFixture('child_process/ipc_lost_handles.js')).toMatchObject({
    code: 0,
    stdout: 'Descriptor closed\nSocket closed\nkept Socket open\nwaiting Descriptor closed\nPIPEWRIGHT_HANDLE_LOST\n',
  });
});

test("without a callback, 'error' reports that handleTimeout is over", async () => {
  const child = start(['silent', 1], { handleTimeout: 1 });
  const socket = endOfPair();
  child.send('handle', socket);
  expect((await once(child, 'error'))[0].code).toBe('ERR_IPC_HANDLE_NOT_ACKNOWLEDGED');
  expect(socket.isOpen).toBe(false);
});

test('callbacks come in the context of their send()', async () => {
  const context = new AsyncLocalStorage();
  const child = context.run('of spawn()', () => start(['late', 1]));
  const called = (name, handle) =>
    context.run(
      name,
      () => new Promise((resolve) => child.send(name, handle, () => resolve([name, context.getStore()]))),
    );
  const outcomes = [called('a handle', endOfPair()), called('behind it'), called('a handle behind it', endOfPair())];
  await reply(child);
  child.kill();
  for (const [name, store] of await Promise.all(outcomes)) expect(store).toBe(name);
});

test('so do those of messages that the kernel takes later', async () => {
  const context = new AsyncLocalStorage();
  const child = context.run('of spawn()', () => start(['late', 0]));
  expect(await reply(child)).toBe('taken');
  const text = 'x'.repeat(1_000_000);
  const stores = ['first', 'second'].map((name) =>
    context.run(name, () => new Promise((resolve) => child.send(text, () => resolve(context.getStore())))),
  );
  expect(await Promise.all([...stores, once(child, 'exit')])).toEqual(['first', 'second', expect.anything()]);
});

test("a handle's socket, ours, is used here again when the child did not take it", async () => {
  const { server, client, socket } = await accepted();
  const child = start(['silent', 1]);
  const outcome = send(child, 'x', socket);
  await reply(child);
  child.kill();
  expect(await outcome).toBe('ERR_IPC_CHANNEL_CLOSED');
  socket.resume().end('here after all');
  expect(String((await once(client, 'data'))[0])).toBe('here after all');
  expect(await new Promise((resolve) => server.getConnections((_, count) => resolve(count)))).toBe(1);
});

describe('a process that the child started holds the channel', () => {
  // Its number, and then the end of the shell.
  async function startWithHolder() {
    const script = 'sleep 1000 <&3 & echo $!; read line';
    const child = closing(spawn('sh', ['-c', script], { stdio: ['pipe', 'pipe', 'inherit', 'ipc'] }));
    const [pid] = await once(child.stdout, 'data');
    closing(() => process.kill(Number(pid)));
    child.stdout.destroy(); // Which it holds as well.
    return child;
  }

  test('after disconnect(), with a handle on its way: it ends with the child', async () => {
    const child = await startWithHolder();
    const outcome = send(child, 'x', endOfPair());
    child.disconnect();
    child.kill();
    await Promise.all([once(child, 'disconnect'), once(child, 'close')]);
    expect(await outcome).toBe('ERR_IPC_CHANNEL_CLOSED');
  });

  test('disconnect() after the exit ends it, though messages are unread', async () => {
    const child = await startWithHolder();
    while (child.send('x'.repeat(10_000)));
    child.kill();
    await once(child, 'exit');
    expect(child.connected).toBe(true);
    child.disconnect();
    await Promise.all([once(child, 'disconnect'), once(child, 'close')]);
  });

  test('a handle that is sent after the exit is not waited for', async () => {
    const child = await startWithHolder();
    child.kill();
    await once(child, 'exit');
    const socket = endOfPair();
    expect(await send(child, 'x', socket)).toBe('ERR_IPC_CHANNEL_CLOSED');
    expect(socket.isOpen).toBe(true);
    child.disconnect();
    await once(child, 'close');
  });
});

test("a child's connections end with it, though another process holds the channel", async () => {
  const { server, socket } = await accepted();
  const child = start(['holder']);
  const [outcome, [, end]] = await Promise.all([send(child, 'x', socket), once(child, 'message'), once(child, 'exit')]);
  closing(end);
  expect([outcome, child.connected]).toEqual(['delivered', true]);
  await new Promise((resolve) => server.close(resolve));
});

describe('a socket of ours on its way', () => {
  test('destroyed meanwhile, and not taken: its server closes', async () => {
    const { server, socket } = await accepted();
    const child = start(['silent', 1]);
    const outcome = send(child, 'x', socket);
    await reply(child);
    socket.destroy();
    child.kill();
    expect(await outcome).toBe('ERR_IPC_CHANNEL_CLOSED');
    await new Promise((resolve) => server.close(resolve));
  });

  test('sent once more: the message goes alone, as by Node', async () => {
    const { server, socket } = await accepted();
    const child = start(['refuse', 1]);
    const outcomes = [send(child, 'x', socket), send(child, 'y', socket)];
    await reply(child);
    expect(await Promise.all(outcomes)).toEqual(['delivered', 'delivered']);
    child.kill();
    await new Promise((resolve) => server.close(resolve));
  });
});

test('disconnect() waits for the acknowledgement', async () => {
  const child = start(['refuse', 2]);
  const outcome = send(child, 'x', endOfPair());
  child.disconnect();
  expect([child.connected, typeof child.channel]).toEqual([false, 'object']);
  const ended = once(child, 'disconnect');
  expect(await outcome).toBe('delivered');
  await ended;
  expect(child.channel).toBe(null);
});

test('handles without an order are sent 32 at a time', async () => {
  const child = start(['late', 32]);
  const calls = [];
  const outcomes = Array.from({ length: 33 }, (_, i) => send(child, i, endOfPair(), calls, { [kUnordered]: true }));
  expect(await reply(child)).toBe('taken'); // All 32, none of which was acknowledged.
  const failed = outcomes[32];
  child.kill();
  expect(await failed).toBe('ERR_IPC_CHANNEL_CLOSED');
  expect(calls).toHaveLength(33);
});
