'use strict';

const { once } = require('node:events');
const fs = require('node:fs');
const path = require('node:path');

const { spawn } = require('../../lib/child_process');
const { Socket } = require('../../lib/net');
const { closing } = require('../helpers/closing');
const { ENGINES, ended, said, textOf } = require('../helpers/children');
const { temporaryFolder } = require('../helpers/socket_path');

const script = (text, options) => closing(spawn('sh', ['-c', text], options));

describe.each(ENGINES)('with the engine %s', (engine) => {
  test.each([
    ['pipe', ['pipe', 'pipe', 'pipe']],
    [undefined, ['socket', 'socket', 'socket']],
    ['ignore', ['/dev/null', '/dev/null', '/dev/null']],
    [
      ['ignore', 'pipe', 'ignore'],
      ['/dev/null', 'socket', '/dev/null'],
    ],
    [
      ['fifo', 'fifo', 'pipe'],
      ['pipe', 'pipe', 'socket'],
    ],
  ])('stdio %p gives the child %p', async (stdio) => {
    const file = path.join(temporaryFolder(), 'out');
    const child = script(`readlink /proc/self/fd/0 /proc/self/fd/1 /proc/self/fd/2 > ${file}`, { engine, stdio });
    await once(child, 'close');
    const types = { pipe: 'socket', undefined: 'socket', fifo: 'pipe', ignore: '/dev/null' };
    // `readlink` itself writes to the file, which is its descriptor 1.
    const expected = [0, 2].map((fd) => types[Array.isArray(stdio) ? stdio[fd] : stdio]);
    const [stdin, , stderr] = fs.readFileSync(file, 'utf8').split('\n');
    expect([stdin, stderr].map((text) => text.replace(/:.*/, ''))).toEqual(expected);
  });

  test('stdin and stdout of cat are two ways', async () => {
    const child = closing(spawn('cat', { engine }));
    child.stdin.end('there and back');
    expect((await ended(child)).stdout).toBe('there and back');
  });

  test('a descriptor can be given twice, and be swapped', async () => {
    const file = path.join(temporaryFolder(), 'out');
    const fd = closing(fs.openSync(file, 'w'));
    const child = script('echo out; echo err >&2; echo third >&3', { engine, stdio: ['ignore', 2, fd, fd] });
    await once(child, 'close');
    expect(child.stdio).toEqual([null, null, null, null]);
    expect(fs.readFileSync(file, 'utf8')).toBe('err\nthird\n');
  });

  test('64 entries', async () => {
    const code = 'for (let i = 3; i < 64; i++) fs.writeSync(i, `${i}\\n`)';
    const child = closing(spawn(process.execPath, ['-e', code], { engine, stdio: Array(64).fill('pipe') }));
    const texts = await Promise.all(child.stdio.slice(3).map(textOf));
    expect(texts).toEqual(Array.from({ length: 61 }, (_, i) => `${i + 3}\n`));
  });

  test('its standard streams are blocking', async () => {
    const child = closing(spawn('cat', ['/proc/self/fdinfo/0', '/proc/self/fdinfo/1'], { engine }));
    const { stdout } = await ended(child);
    const flags = [...stdout.matchAll(/flags:\s+(\d+)/g)].map(([, octal]) => parseInt(octal, 8));
    expect(flags.map((value) => value & fs.constants.O_NONBLOCK)).toEqual([0, 0]);
  });
});

test('the child inherits nothing else', async () => {
  closing(fs.openSync('/dev/null'));
  const { stdout } = await ended(closing(spawn('ls', ['/proc/self/fd'])));
  expect(stdout).toBe('0\n1\n2\n3\n'); // 3 is what ls reads the folder with.
});

test('a descriptor above 2 is two ways', async () => {
  const child = script('read line <&3; echo "got $line" >&3', { stdio: ['ignore', 'ignore', 'ignore', 'pipe'] });
  child.stdio[3].write('hello\n');
  expect(await textOf(child.stdio[3])).toBe('got hello\n');
  await once(child, 'close');
});

test("a fifo can be opened again as /dev/stdout, which Node's socket cannot", async () => {
  const child = script('echo again > /dev/stdout; cat /dev/stdin', { stdio: ['fifo', 'fifo', 'pipe'] });
  child.stdin.end('and in\n');
  expect(await ended(child)).toMatchObject({ code: 0, stdout: 'again\nand in\n', stderr: '' });
});

test('one child writes into the other', async () => {
  const cat = closing(spawn('cat', { stdio: ['pipe', 'pipe', 'inherit'] }));
  const head = closing(spawn('head', ['-n1'], { stdio: [cat.stdout, 'pipe', 'inherit'] }));
  const exits = Promise.all([once(head, 'close'), once(cat, 'exit')]);
  cat.stdin.end('first\n');
  expect(await textOf(head.stdout)).toBe('first\n');
  await exits;
  cat.stdout.destroy();
});

test('objects with a descriptor are taken for it', async () => {
  const file = path.join(temporaryFolder(), 'out');
  const handle = await fs.promises.open(file, 'w');
  closing(() => handle.close());
  await once(script('echo text', { stdio: ['ignore', handle, 'ignore'] }), 'close');
  expect(fs.readFileSync(file, 'utf8')).toBe('text\n');
});

test('parent ends are sockets of pipewright, with ref() and unref()', async () => {
  const child = closing(spawn('cat'));
  for (const stream of child.stdio) expect(stream).toBeInstanceOf(Socket);
  expect(child.stdin.readable).toBe(false);
  child.stdout.unref();
  child.stdout.ref();
  child.stdin.end();
  await once(child, 'close');
});

test('what nobody reads does not keep the end back', async () => {
  const child = script('seq 20000');
  child.stdout.pause();
  await once(child, 'close');
});

test('reading pauses and goes on', async () => {
  const child = script('seq 50000');
  const first = await said(child.stdout.setEncoding('utf8'), '1');
  child.stdout.pause();
  await new Promise(setImmediate);
  const rest = await textOf(child.stdout);
  expect((first + rest).split('\n')).toHaveLength(50001);
  await once(child, 'close');
});
