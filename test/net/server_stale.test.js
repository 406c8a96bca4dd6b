'use strict';

// replaceStale: the socket of a dead server is replaced, anything else is not.

const { once } = require('node:events');
const fs = require('node:fs');
const nodeNet = require('node:net');
const path = require('node:path');
const net = require('../../lib/net');
const { closing } = require('../helpers/closing');
const { outputOf, runFixture, startFixture } = require('../helpers/child');
const { PROGRAM_HANGS_MS, TEST_HANGS_MS } = require('../helpers/hanging');
const { socketPath, temporaryFolder } = require('../helpers/socket_path');
const { isStress } = require('../helpers/stress');

// The file of a server that was killed.
async function leaveStale(listenPath) {
  const child = startFixture('net/echo_server.js', [JSON.stringify({ path: listenPath })]);
  await outputOf(child, 'listening');
  child.kill('SIGKILL');
  await child.result;
  expect(fs.lstatSync(listenPath).isSocket()).toBe(true);
  return listenPath;
}

const listening = (server) => new Promise((resolve) => server.once('listening', resolve).once('error', resolve));

async function tryToListen(options) {
  const server = closing(net.createServer((socket) => socket.end('new')));
  const err = await listening(server.listen(options));
  return { server, code: err?.code };
}

test.each([true, undefined, false])(
  'after SIGKILL, replaceStale %p decides whether the path can be had',
  async (replaceStale) => {
    const listenPath = await leaveStale(socketPath());
    const { server, code } = await tryToListen({ path: listenPath, replaceStale });
    expect([code, server.listening]).toEqual(replaceStale ? [undefined, true] : ['EADDRINUSE', false]);
  },
);

test('the new server answers, with the mode that it asked for', async () => {
  const listenPath = await leaveStale(socketPath());
  await tryToListen({ path: listenPath, replaceStale: true, mode: 0o640 });
  const client = closing(net.connect(listenPath));
  expect(String((await once(client, 'data'))[0])).toBe('new');
  expect(fs.statSync(listenPath).mode & 0o777).toBe(0o640);
});

test('a path too long for the kernel is replaced too', async () => {
  const listenPath = await leaveStale(socketPath('l'.repeat(200)));
  expect((await tryToListen({ path: listenPath, replaceStale: true })).code).toBeUndefined();
});

test('a path where there is nothing is simply taken', async () => {
  expect((await tryToListen({ path: socketPath(), replaceStale: true })).code).toBeUndefined();
});

describe('is not replaced:', () => {
  const KINDS = {
    'a plain file': (name) => fs.writeFileSync(name, 'precious'),
    'a folder': (name) => fs.mkdirSync(name),
    'a symbolic link to nothing': (name) => fs.symlinkSync(`${name}-target`, name),
    'a symbolic link to a file': (name) => {
      fs.writeFileSync(`${name}-target`, 'precious');
      fs.symlinkSync(`${name}-target`, name);
    },
    'a symbolic link to a stale socket': async (name) => {
      await leaveStale(`${name}-target`);
      fs.symlinkSync(`${name}-target`, name);
    },
  };
  test.each(Object.keys(KINDS))('%s', async (kind) => {
    const listenPath = socketPath();
    await KINDS[kind](listenPath);
    const before = fs.lstatSync(listenPath);
    expect((await tryToListen({ path: listenPath, replaceStale: true })).code).toBe('EADDRINUSE');
    expect(fs.lstatSync(listenPath).ino).toBe(before.ino);
    if (fs.existsSync(`${listenPath}-target`)) expect(fs.readdirSync(path.dirname(listenPath))).toHaveLength(2);
  });

  const SERVERS = { 'a server of ours': net, "a server of Node's": nodeNet };
  test.each(Object.keys(SERVERS))('%s, and it sees no client for it', async (kind) => {
    const live = closing(SERVERS[kind].createServer());
    let clients = 0;
    live.on('connection', () => clients++);
    await once(live.listen(socketPath()), 'listening');
    const { code } = await tryToListen({ path: live.address(), replaceStale: true });
    await new Promise(setImmediate);
    expect([code, clients]).toEqual(['EADDRINUSE', 0]);
  });

  test('a server that is bound and does not listen yet', async () => {
    const listenPath = socketPath();
    const child = startFixture('net/bind_only.py', [listenPath], { program: 'python3' });
    await outputOf(child, 'bound');
    expect((await tryToListen({ path: listenPath, replaceStale: true })).code).toBe('EADDRINUSE');
  });

  test('a datagram socket that is bound', async () => {
    const listenPath = socketPath();
    const child = startFixture('net/bind_only.py', [listenPath, 'dgram'], { program: 'python3' });
    await outputOf(child, 'bound');
    expect((await tryToListen({ path: listenPath, replaceStale: true })).code).toBe('EADDRINUSE');
  });

  test('a server whose backlog is full', async () => {
    const listenPath = socketPath();
    const child = startFixture('net/bind_only.py', [listenPath, 'full'], { program: 'python3' });
    await outputOf(child, 'bound');
    expect((await tryToListen({ path: listenPath, replaceStale: true })).code).toBe('EADDRINUSE');
  });
});

test('in a folder that may be written but not read, nothing is left behind', async () => {
  const folder = temporaryFolder(0o300);
  const listenPath = path.join(folder, 's');
  await leaveStale(listenPath);
  const { code } = await tryToListen({ path: listenPath, replaceStale: true });
  expect(code).toBeUndefined();
  fs.chmodSync(folder, 0o700);
  expect(fs.readdirSync(folder).filter((name) => name !== 's.lock')).toEqual(['s']);
});

describe('a lock that somebody holds for good (issue 9)', () => {
  async function lock(folder) {
    const child = startFixture('net/bind_only.py', [folder, 'lock'], { program: 'python3' });
    await outputOf(child, 'bound');
    return child.pid;
  }

  test('is named, with its holder', async () => {
    const listenPath = await leaveStale(socketPath());
    const folder = path.dirname(listenPath);
    const pid = await lock(folder);
    const error = await listening(closing(net.createServer()).listen({ path: listenPath, replaceStale: true }));
    expect(error).toMatchObject({ code: 'EBUSY', syscall: 'listen', address: listenPath, lock: folder, holder: pid });
    expect(error.message).toContain(`process ${pid} holds the lock of ${folder}`);
  });

  test('is not needed where nothing is there', async () => {
    const listenPath = socketPath();
    await lock(path.dirname(listenPath));
    expect((await tryToListen({ path: listenPath, replaceStale: true })).code).toBeUndefined();
  });

  test('is not needed to see that a server lives', async () => {
    const live = closing(net.createServer().listen(socketPath()));
    await once(live, 'listening');
    await lock(path.dirname(live.address()));
    expect((await tryToListen({ path: live.address(), replaceStale: true })).code).toBe('EADDRINUSE');
  });
});

test('a lock that is let go is waited for', async () => {
  const listenPath = await leaveStale(socketPath());
  const child = startFixture('net/bind_only.py', [path.dirname(listenPath), 'lock'], { program: 'python3' });
  await outputOf(child, 'bound');
  const server = closing(net.createServer());
  const outcome = listening(server.listen({ path: listenPath, replaceStale: true }));
  expect(server.listening).toBe(false);
  child.kill();
  expect(await outcome).toBeUndefined();
});

test('close() while the lock is waited for ends the attempt', async () => {
  const listenPath = await leaveStale(socketPath());
  const child = startFixture('net/bind_only.py', [path.dirname(listenPath), 'lock'], { program: 'python3' });
  await outputOf(child, 'bound');
  const server = net.createServer();
  server.listen({ path: listenPath, replaceStale: true });
  await once(server.close(), 'close');
  child.kill();
  await child.result;
  expect(server.listening).toBe(false);
});

const MORE = isStress ? 25 : 1;
const ROUNDS = 8 * MORE;
test(
  `of 20 processes that start at once on a stale path exactly one wins, ${ROUNDS} rounds`,
  async () => {
    const { code, stdout, stderr } = await runFixture('net/takeover_rounds.js', [socketPath(), 20, ROUNDS], {
      timeout: MORE * PROGRAM_HANGS_MS,
    });
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(JSON.parse(stdout)).toEqual(Array(ROUNDS).fill({ owners: 1, lost: 19, answeredByOwner: true }));
  },
  MORE * TEST_HANGS_MS,
);
