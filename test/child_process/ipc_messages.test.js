'use strict';

// Messages between us and children that have only Node. Beside Node's own: parity/fork.test.js.

const { once } = require('node:events');
const path = require('node:path');

const { fork, spawn } = require('../../lib/child_process');
const { runFixture } = require('../helpers/child');
const { closing } = require('../helpers/closing');
const { PLAIN_NODES } = require('../helpers/plain_nodes');

const ECHO = path.join(__dirname, '../fixtures/child_process/ipc_echo.js');

const start = (options) => closing(fork(ECHO, options));

async function echoed(child, message) {
  child.send({ repeat: message });
  return (await once(child, 'message'))[0];
}

describe.each(PLAIN_NODES)('a child with Node %s', (_, execPath) => {
  test('json: what JSON can say comes back as it was', async () => {
    const child = start({ execPath });
    for (const message of [
      '',
      '\n',
      '\u2028 ü 😀',
      'x'.repeat(200_000),
      0,
      -1.5,
      true,
      null,
      [],
      [[{}]],
      { a: { b: 1 } },
    ]) {
      expect(await echoed(child, message)).toEqual(message);
    }
  });

  test('advanced: and what the structured clone can, views and buffers among it', async () => {
    const child = start({ execPath, serialization: 'advanced' });
    const circular = { name: 'circular' };
    circular.self = circular;
    const messages = [
      new Map([[1, new Set(['a'])]]),
      1n,
      new Date(0),
      /x/g,
      Buffer.from('bytes'),
      new Float64Array([0.5, 1]),
      new Uint8Array(100_000).fill(7),
      { view: new DataView(Uint8Array.of(1, 2, 3).buffer, 1), odd: ['y', Uint16Array.of(1, 2)] },
      circular,
      'ü'.repeat(70_000),
      undefined,
    ];
    for (const message of messages) expect(await echoed(child, { message })).toEqual({ message });
    expect(Buffer.isBuffer((await echoed(child, { message: Buffer.from('b') })).message)).toBe(true);
  });
});

test.each(['json', 'advanced'])('%s: 8 MiB there and back', async (serialization) => {
  const child = start({ serialization });
  const text = 'ab'.repeat(4 * 1024 * 1024);
  expect((await echoed(child, text)) === text).toBe(true);
});

test('messages can be awaited one by one, though they came together', async () => {
  const child = start();
  child.send({ repeat: 'x', times: 100 });
  for (let i = 0; i < 100; i++) expect(await once(child, 'message')).toEqual(['x', undefined]);
});

test('held messages are given one by one, after the end of the channel too', async () => {
  const child = start();
  child.send({ repeat: 'held', times: 3, exit: 0 });
  await once(child, 'close');
  for (let i = 0; i < 3; i++) expect(await once(child, 'message')).toEqual(['held', undefined]);
});

test('removeAllListeners() with messages held: the next listener gets them', async () => {
  const child = start();
  child.send({ repeat: 'held', times: 3 });
  child.send({ repeat: { cmd: 'NODE_X' } });
  await once(child, 'internalMessage');
  expect(child.removeAllListeners()).toBe(child);
  for (let i = 0; i < 3; i++) expect(await once(child, 'message')).toEqual(['held', undefined]);
  expect(await echoed(child, 'after them')).toBe('after them');
  child.removeAllListeners('newListener');
  expect(await echoed(child, 'still')).toBe('still');
  expect(child.listenerCount('newListener')).toBe(1);
});

test("'exit' comes after the last message, 'close' after 'disconnect'", async () => {
  const child = start();
  const events = [];
  for (const name of ['message', 'disconnect', 'exit', 'close']) child.on(name, () => events.push(name));
  child.send({ repeat: 'y'.repeat(5000), times: 10, exit: 0 });
  await once(child, 'close');
  expect(events.filter((name) => name === 'message')).toHaveLength(10);
  expect(events.indexOf('exit')).toBeGreaterThan(events.lastIndexOf('message'));
  expect(events.at(-1)).toBe('close');
});

test('disconnect() sends first what is queued', async () => {
  const child = start();
  const written = new Promise((resolve) => {
    child.send({ times: 0, text: 'z'.repeat(3_000_000), exit: 7 }, resolve);
  });
  child.disconnect();
  expect(await written).toBe(null);
  expect(await once(child, 'exit')).toEqual([7, null]);
});

test("send() is false while the child does not read, and 'error' reports a child that has gone", async () => {
  const child = start();
  child.kill('SIGSTOP');
  let count = 0;
  while (child.send('x'.repeat(10_000))) count += 1;
  expect(count).toBeGreaterThan(10);
  child.kill('SIGKILL');
  await once(child, 'disconnect');
  const failed = once(child, 'error');
  expect(child.send('late')).toBe(false);
  expect((await failed)[0].code).toBe('ERR_IPC_CHANNEL_CLOSED');
});

test.each(['NODE_HANDLE', 'NODE_HANDLE_ACK', 'NODE_HANDLE_NACK'])('a message with cmd %s is refused', async (cmd) => {
  const child = start();
  const reserved = expect.objectContaining({ code: 'ERR_IPC_MESSAGE_RESERVED' });
  expect(() => child.send({ cmd })).toThrow(reserved);
  expect(await echoed(child, 'and the child lives')).toBe('and the child lives');
});

test('a message without a JSON form is refused', () => {
  const child = start();
  const invalid = expect.objectContaining({ code: 'ERR_INVALID_ARG_VALUE' });
  expect(() => child.send({ toJSON() {} })).toThrow(invalid);
});

test('the environment of an outer channel is not handed on', async () => {
  const env = { ...process.env, NODE_CHANNEL_FD: '99', NODE_CHANNEL_SERIALIZATION_MODE: 'advanced' };
  const child = closing(spawn(process.execPath, [ECHO], { env, stdio: ['ipc', 'ignore', 'inherit'] }));
  expect(await echoed(child, 'by descriptor 0')).toBe('by descriptor 0');
});

test('a grandchild that holds the channel: closeOn does not wait for it', async () => {
  const stdio = ['ignore', 'pipe', 'inherit', 'ipc'];
  const child = closing(spawn('sh', ['-c', 'sleep 1000 <&3 & echo $!'], { stdio, closeOn: 'exit' }));
  const [pid] = await once(child.stdout, 'data');
  closing(() => process.kill(Number(pid)));
  await Promise.all([once(child, 'disconnect'), once(child, 'close')]);
});

test.each([
  ['ref', 'true\nkept\nend\n'],
  ['unref', 'false\nend\n'],
  ['count', 'true\nkept\nend\n'],
  ['uncount', 'false\nend\n'],
])('a channel that is %sed', async (how, stdout) => {
  expect(await runFixture('child_process/ipc_references.js', [how])).toMatchObject({ code: 0, stdout, stderr: '' });
});
