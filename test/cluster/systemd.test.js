'use strict';

// A cluster as a service of systemd: sockets that it passes, its store of descriptors, and a primary
// that another one replaces.

const { once } = require('node:events');
const fs = require('node:fs');
const http = require('node:http');
const net = require('node:net');
const path = require('node:path');
const { createCluster } = require('../../lib/cluster');
const dgram = require('../../lib/dgram');
const { gone } = require('../helpers/children');
const { closing } = require('../helpers/closing');
const { testNeeding } = require('../helpers/needed_programs');
const { socketPath } = require('../helpers/socket_path');
const { Primaries } = require('../helpers/upgrading');

const underActivator = testNeeding('systemd-socket-activate');

function get(target) {
  return new Promise((resolve, reject) => {
    const request = http.get({ agent: false, ...target }, async (response) => {
      resolve((await response.setEncoding('utf8').toArray()).join(''));
    });
    request.on('error', reject);
  });
}

/** The socket of a service manager. `next()` resolves with a message: { text, descriptors }. */
async function manager() {
  const file = socketPath('notify');
  const socket = closing(dgram.createSocket({ descriptors: true }));
  const messages = [];
  socket.on('message', (data, { descriptors }) => {
    descriptors.forEach((each) => closing(each));
    messages.push({ text: String(data), descriptors });
  });
  await once(socket.bind(file), 'listening');
  return {
    path: file,
    async next() {
      while (messages.length === 0) await once(socket, 'message');
      return messages.shift();
    },
  };
}

/** Starts a primary with a descriptor, as systemd does. */
function startWith({ fd }, name, config) {
  return new Primaries(config, {
    program: 'sh',
    execArgv: ['-c', 'LISTEN_PID=$$ exec "$0" "$@"', process.execPath],
    env: { LISTEN_FDS: '1', LISTEN_FDNAMES: name },
    stdio: ['pipe', 'pipe', 'pipe', fd],
  });
}

describe('a socket that systemd passes', () => {
  underActivator('is passed on by upgrade(), and its file stays', async () => {
    const socket = socketPath();
    const primaries = new Primaries(
      { listeners: ['passed'] },
      { program: 'systemd-socket-activate', execArgv: ['--fdname=app', '-l', socket, process.execPath] },
    );
    while (!primaries.child.output.stderr.includes('Listening on')) await once(primaries.child.stderr, 'data');
    expect(await get({ socketPath: socket })).toBe('1 1');
    for (let i = 0; i < 2; i++) {
      await primaries.upgraded();
      expect(await get({ socketPath: socket })).toBe('1 1');
    }
    await primaries.stop();
    expect(fs.existsSync(socket)).toBe(true);
  });
});

describe("a listener in systemd's store", () => {
  test('survives the death of the service, with the clients that wait', async () => {
    const systemd = await manager();
    const config = { listeners: [{ path: socketPath(), store: 'app' }] };
    const primaries = new Primaries(config, { env: { NOTIFY_SOCKET: systemd.path } });
    const [address] = await primaries.areReady();
    const { text, descriptors } = await systemd.next();
    expect(text).toBe('FDSTORE=1\nFDNAME=app');
    expect(descriptors).toMatchObject([{ type: 'unix-server' }]);
    primaries.child.kill('SIGKILL');
    await gone(primaries.pid);
    const answer = get({ socketPath: address }); // Nobody accepts now.
    const next = startWith(descriptors[0], 'app', config);
    expect(await answer).toMatch(/^\d+ 1$/);
    await next.stop();
    expect(fs.existsSync(address)).toBe(true);
  });

  test('that is another address is let go', async () => {
    const systemd = await manager();
    const old = closing(net.createServer());
    await once(old.listen(socketPath()), 'listening');
    process.env.NOTIFY_SOCKET = systemd.path;
    closing(() => delete process.env.NOTIFY_SOCKET);
    const primaries = startWith({ fd: old._handle.fd }, 'app', { listeners: [{ path: socketPath(), store: 'app' }] });
    const [address] = await primaries.areReady();
    expect(await get({ socketPath: address })).toMatch(/^\d+ 1$/);
    const texts = [(await systemd.next()).text, (await systemd.next()).text];
    expect(texts).toEqual(['FDSTOREREMOVE=1\nFDNAME=app', 'FDSTORE=1\nFDNAME=app']);
    await primaries.stop();
  });

  test('has a name that systemd takes, and an address', async () => {
    const exec = path.join(__dirname, '../fixtures/cluster/serving_worker.js');
    const cluster = createCluster({ exec, args: ['http'], workers: 1 });
    closing(() => cluster.close());
    for (const [options, code] of [
      [{ path: 'x', store: 'a:b' }, 'ERR_INVALID_ARG_VALUE'],
      [{ path: 'x', store: '' }, 'ERR_INVALID_ARG_VALUE'],
      [{ fd: 3, store: 'x' }, 'ERR_INVALID_ARG_VALUE'],
      [{ path: 'x', store: 5 }, 'ERR_INVALID_ARG_TYPE'],
    ]) {
      expect(() => cluster.listen(options)).toThrow(expect.objectContaining({ code }));
    }
  });
});

test('the service manager learns which process is the main one', async () => {
  const systemd = await manager();
  const primaries = new Primaries({ listeners: [{ path: socketPath() }] }, { env: { NOTIFY_SOCKET: systemd.path } });
  await primaries.areReady();
  await primaries.upgraded();
  expect((await systemd.next()).text).toBe(`MAINPID=${primaries.pid}`);
  await primaries.stop();
});
