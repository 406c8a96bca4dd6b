'use strict';

// mode, owner and group of a server's file: in force from the first moment on.

const { once } = require('node:events');
const fs = require('node:fs');
const path = require('node:path');
const net = require('../../lib/net');
const { closing } = require('../helpers/closing');
const { runFixture } = require('../helpers/child');
const { testNeeding } = require('../helpers/needed_programs');
const { socketPath, temporaryFolder } = require('../helpers/socket_path');

const isRoot = process.getuid() === 0;
const asRoot = isRoot ? test : test.skip;
const againstAnotherUser = isRoot ? testNeeding('perl') : test.skip;

async function listen(options) {
  const server = closing(net.createServer((socket) => socket.end()));
  await once(server.listen({ path: socketPath(), ...options }), 'listening');
  return { server, status: fs.lstatSync(server.address()) };
}

// In a process of its own: the umask belongs to the whole process.
async function modeUnder(umask, options) {
  const listenPath = socketPath();
  const { stdout, stderr } = await runFixture('net/listen_and_stat.js', [
    umask,
    JSON.stringify({ path: listenPath, ...options }),
  ]);
  expect(stderr).toBe('');
  return JSON.parse(stdout);
}

const MODES = [0o600, 0o660, 0o666, 0o777, 0o700, 0o200, 0o000, '600', '0660', '666'];
const UMASKS = ['000', '022', '077', '777'];

test.each(UMASKS.flatMap((umask) => MODES.map((mode) => [umask, mode])))(
  'under umask %s, mode %p is the mode of the file',
  async (umask, mode) => {
    const result = await modeUnder(umask, { mode });
    expect(result.mode).toBe(typeof mode === 'string' ? parseInt(mode, 8) : mode);
  },
);

test.each(UMASKS)('under umask %s, without mode it is as the umask has it', async (umask) => {
  expect((await modeUnder(umask, {})).mode).toBe(0o777 & ~parseInt(umask, 8));
});

test('the umask of the process is not touched', async () => {
  expect((await modeUnder('027', { mode: 0o666 })).umask).toBe('027');
});

const TRAPS = [{ readableAll: true }, { writableAll: true }, { readableAll: true, writableAll: true }];
test.each(TRAPS.flatMap((options) => UMASKS.slice(0, 3).map((umask) => [options, umask])))(
  'with %p under umask %s the owner can always connect',
  async (options, umask) => {
    const { mode, connected } = await modeUnder(umask, options);
    if (options.readableAll) expect(mode & 0o444).toBe(0o444);
    if (options.writableAll) expect(mode & 0o222).toBe(0o222);
    expect(mode & 0o600).toBe(0o600);
    expect(connected).toBe(true);
  },
);

const WRONG_MODES = [-1, 0o10000, 1.5, NaN, '', '8', '0o600', 'rw', '66666', true, {}, [], 10n];
test.each(WRONG_MODES.map((mode) => [mode]))('mode %p is refused, and leaves no file', (mode) => {
  const server = net.createServer();
  const listenPath = socketPath();
  expect(() => server.listen({ path: listenPath, mode })).toThrow(
    expect.objectContaining({ code: expect.stringMatching(/^ERR_/) }),
  );
  expect([server.listening, fs.existsSync(listenPath)]).toEqual([false, false]);
});

test.each([
  ['owner', 'no-such-user'],
  ['owner', -1],
  ['owner', 1.5],
  ['owner', {}],
  ['group', 'no-such-group'],
  ['group', 2 ** 32],
  ['group', true],
])('%s %p is refused', (name, value) => {
  const server = net.createServer();
  expect(() => server.listen({ path: socketPath(), [name]: value })).toThrow(
    expect.objectContaining({ code: expect.stringMatching(/^ERR_/) }),
  );
});

test.each(['mode', 'owner', 'group', 'readableAll', 'writableAll', 'replaceStale'])(
  '%s is refused for an abstract name',
  (name) => {
    const value = /All|Stale/.test(name) ? true : 0o600;
    expect(() => net.createServer().listen({ path: '\0pipewright-x', [name]: value })).toThrow('abstract');
  },
);

test.each(['readableAll', 'writableAll'])("issue 9: %s is refused for an abstract name in Node's words", (name) => {
  const message =
    /^The argument 'options' can not set readableAll or writableAllt to true when path is abstract unix socket\. /;
  const server = net.createServer();
  expect(() => server.listen({ path: '\0pipewright-x', [name]: true })).toThrow(
    expect.objectContaining({ code: 'ERR_INVALID_ARG_VALUE', message: expect.stringMatching(message) }),
  );
});

test("owner and group of one's own may be given by anybody", async () => {
  const { status } = await listen({ owner: process.getuid(), group: process.getgid(), mode: 0o640 });
  expect([status.uid, status.gid, status.mode & 0o7777]).toEqual([process.getuid(), process.getgid(), 0o640]);
});

asRoot.each([
  [{ owner: 65534 }, 65534, 0],
  [{ group: 65534 }, 0, 65534],
  [{ owner: 'nobody', group: 'daemon' }, 65534, 1],
  [{ owner: 'daemon', mode: 0o777 }, 1, 0],
])('%p gives the file to them', async (options, uid, gid) => {
  const { status } = await listen({ mode: 0o660, ...options });
  expect([status.uid, status.gid, status.mode & 0o777]).toEqual([uid, gid, options.mode ?? 0o660]);
});

test('an owner that may not be given is EPERM, and leaves no file and no descriptor', async () => {
  const folder = temporaryFolder(0o777);
  const options = { path: path.join(folder, 's'), owner: isRoot ? 1 : 0 };
  const user = isRoot ? { uid: 65534, gid: 65534 } : {};
  const { stdout } = await runFixture('net/listen_and_stat.js', ['022', JSON.stringify(options)], user);
  expect(JSON.parse(stdout)).toMatchObject({ error: 'EPERM', descriptors: 0 });
  expect(fs.existsSync(options.path)).toBe(false);
});

describe('while the server starts', () => {
  // Another user tries to connect all the time; root itself may always.
  againstAnotherUser('mode 0600 under umask 0 lets nobody else in, 2000 times', async () => {
    const folder = temporaryFolder(0o755);
    const { code, stdout, stderr } = await runFixture('net/mode_race.js', ['600', path.join(folder, 's'), 2000]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const { rounds, tried, succeeded } = JSON.parse(stdout);
    expect([rounds, succeeded]).toEqual([2000, 0]);
    expect(tried).toBeGreaterThan(1000);
  });

  againstAnotherUser('the same race is lost by a chmod after listen', async () => {
    const folder = temporaryFolder(0o755);
    const { stdout } = await runFixture('net/mode_race.js', ['late', path.join(folder, 's'), 2000]);
    expect(JSON.parse(stdout).succeeded).toBeGreaterThan(0);
  });

  againstAnotherUser('mode 0666 under umask 077 lets everybody in from the moment that listen returns', async () => {
    const folder = temporaryFolder(0o755);
    const { stdout, stderr } = await runFixture('net/connect_at_once.js', [path.join(folder, 's'), 40]);
    expect([stdout, stderr]).toEqual(['40\n', '']);
  });

  test('a group is given before the mode that lets it in', async () => {
    const { status } = await listen({ group: process.getgid(), mode: 0o060 });
    expect(status.mode & 0o777).toBe(0o060);
  });
});
