'use strict';

const fs = require('node:fs');
const { errno } = require('node:os').constants;
const path = require('node:path');
const { closeFd, pipe, stdioSocketPair } = require('../../lib/base/binding');
const { runFixture } = require('../helpers/child');
const { ENGINES, inheritableDescriptors } = require('../helpers/children');
const { closing } = require('../helpers/closing');
const { temporaryFolder } = require('../helpers/socket_path');
const { readAll, run, script, start } = require('../helpers/spawning');

function openFile(name) {
  const file = path.join(temporaryFolder(), name);
  const fd = closing(fs.openSync(file, 'w+'));
  return { fd, read: () => fs.readFileSync(file, 'utf8') };
}

describe.each(ENGINES)('the %s engine', (engine) => {
  test('gives ignored descriptors 0 to 2 to /dev/null', () => {
    const { pid } = start({ engine, file: 'sleep', args: ['sleep', '60'] });
    const files = [0, 1, 2].map((fd) => fs.readlinkSync(`/proc/${pid}/fd/${fd}`));
    expect(files).toEqual(['/dev/null', '/dev/null', '/dev/null']);
  });

  test('raises a list of fewer than three descriptors to three', async () => {
    const { fd, read } = openFile('out');
    const child = start({ ...script('echo x; readlink /proc/self/fd/2'), engine, stdio: [-1, fd] });
    expect(await child.exited).toEqual([0, 0]);
    expect(read()).toBe('x\n/dev/null\n');
  });

  test('opens /dev/null for reading alone as stdin', async () => {
    const { output } = await run({ ...script('sed -n /flags/p /proc/self/fdinfo/0'), engine });
    expect(parseInt(output.split(/\s+/)[1], 8) & 3).toBe(fs.constants.O_RDONLY);
  });

  test.each([8, 9, 64])('passes %i descriptors', async (count) => {
    const { fd, read } = openFile('out');
    const names = Array.from({ length: count }, (_, i) => i).slice(3);
    const text = `for i in ${names.join(' ')}; do eval "echo $i > /proc/self/fd/$i" ; done`;
    const stdio = Array.from({ length: count }, () => fd);
    const child = start({ ...script(text.replaceAll('> /proc', '>> /proc')), engine, stdio });
    expect(await child.exited).toEqual([0, 0]);
    expect(read().trim().split('\n')).toEqual(names.map(String));
  });

  test('swaps descriptors', async () => {
    const [out, err] = [openFile('out'), openFile('err')];
    const child = start({ ...script('echo out; echo err >&2'), engine, stdio: [-1, err.fd, out.fd] });
    expect(await child.exited).toEqual([0, 0]);
    expect([out.read(), err.read()]).toEqual(['err\n', 'out\n']);
  });

  test('swaps stdout and stderr', async () => {
    const options = { ...script('echo out; echo err >&2'), engine, stdio: [0, 2, 1] };
    const { stdout, stderr } = await runFixture('child_process/spawn_native.js', [JSON.stringify(options)]);
    expect([stdout, stderr]).toEqual([`err\n{"code":0,"signal":0}`, 'out\n']);
  });

  test('gives one descriptor to several of the child', async () => {
    const { fd, read } = openFile('out');
    const child = start({ ...script('echo 1; echo 2 >&2; echo 3 >&3'), engine, stdio: [-1, fd, fd, fd] });
    expect(await child.exited).toEqual([0, 0]);
    expect(read()).toBe('1\n2\n3\n');
  });

  test('makes 0 to 2 blocking', async () => {
    const file = path.join(temporaryFolder(), 'fifo');
    fs.closeSync(fs.openSync(file, 'w'));
    const fd = closing(fs.openSync(file, fs.constants.O_RDWR | fs.constants.O_NONBLOCK));
    const text = 'for i in 0 2; do sed -n /flags/p /proc/self/fdinfo/$i; done';
    const { output } = await run({ ...script(text), engine, stdio: [fd, -1, fd] });
    const flags = output.match(/\d+/g).map((number) => parseInt(number, 8));
    // libuv sees to it only where it opens the descriptor itself.
    if (engine === 'vfork') expect(flags.map((flag) => flag & fs.constants.O_NONBLOCK)).toEqual([0, 0]);
    expect(flags).toHaveLength(2);
  });

  test('gives the child the same open file', async () => {
    const { fd } = openFile('shared');
    const { output } = await run({ ...script('stat -L -c %i /proc/self/fd/3'), engine, stdio: [-1, -1, -1, fd] });
    expect(output).toBe(`${fs.fstatSync(fd).ino}\n`);
  });

  test('leaves what the child inherits open here, also when the spawn fails', () => {
    const { fd } = openFile('kept');
    expect(start({ engine, file: '/nonexistent', args: ['x'], stdio: [fd, fd, fd] }).error).toBe(-errno.ENOENT);
    expect(fs.fstatSync(fd).isFile()).toBe(true);
  });

  test('tells EBADF for a descriptor that is not open', () => {
    const child = start({ engine, stdio: [-1, -1, 9999] });
    expect(child).toMatchObject({ error: -errno.EBADF, step: engine === 'vfork' ? 'stdio' : undefined });
  });

  test('a FIFO as stdout can be opened again by its name', async () => {
    const [ours, theirs] = pipe();
    const child = start({ ...script('echo again > /dev/stdout'), engine, stdio: [-1, theirs, -1] });
    closeFd(theirs);
    expect(await readAll(ours, child.handle)).toBe('again\n');
    expect(await child.exited).toEqual([0, 0]);
  });

  test('a socket pair goes both ways', async () => {
    const [ours, theirs] = stdioSocketPair();
    fs.writeSync(ours, 'there and back\n');
    const child = start({ ...script('read line; echo "$line" >&0'), engine, stdio: [theirs, -1, -1] });
    closeFd(theirs);
    expect(await readAll(ours, child.handle)).toBe('there and back\n');
    expect(await child.exited).toEqual([0, 0]);
  });
});

describe('the vfork engine', () => {
  const list = script('ls /proc/self/fd', { engine: 'vfork' });

  // Node itself marks the low numbers close-on-exec when it starts.
  function runWithDescriptor251(options) {
    const stdio = Array.from({ length: 252 }, (_, i) => (i < 3 ? 'pipe' : 'ignore'));
    stdio[251] = openFile('inheritable').fd;
    return runFixture('child_process/spawn_native.js', [JSON.stringify({ ...list, stdio: [-1, 1, 2], ...options })], {
      stdio,
    });
  }

  test('leaves the child no descriptor but its stdio', async () => {
    const { stdout } = await runWithDescriptor251({});
    expect(stdout).toBe('0\n1\n2\n3\n{"code":0,"signal":0}'); // 3: the directory.
  });

  test('leaves it what is inheritable with closeDescriptors: false', async () => {
    const { stdout } = await runWithDescriptor251({ closeDescriptors: false });
    // 3: the directory. What Jest was started with may be inheritable, too.
    const fds = new Set([0, 1, 2, 3, 251, ...inheritableDescriptors()]);
    expect(stdout.split('\n').sort()).toEqual([...fds, '{"code":0,"signal":0}'].map(String).sort());
  });

  test('closes what stands in an ignored place above two', async () => {
    const { fd } = openFile('gap');
    const { output } = await run({ ...list, stdio: [-1, -1, -1, -1, fd] });
    expect(output).toBe('0\n1\n2\n3\n4\n'); // 3: the directory.
  });
});
