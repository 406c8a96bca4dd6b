'use strict';

const { spawn } = require('node:child_process');
const { once } = require('node:events');
const fs = require('node:fs');
const http = require('node:http');
const net = require('node:net');
const path = require('node:path');
const { text } = require('node:stream/consumers');
const { closing } = require('../helpers/closing');
const { testNeeding } = require('../helpers/needed_programs');
const { socketPath } = require('../helpers/socket_path');
const { listenDescriptors } = require('../../lib/systemd');

const underActivator = testNeeding('systemd-socket-activate');
const FIXTURES = path.join(__dirname, '../fixtures/systemd');

// systemd's own program for trying a service out: it listens, and starts the service
// when somebody connects.
async function activate(listenOn, args, program = 'systemd_server.js') {
  const service = [process.execPath, path.join(FIXTURES, program)];
  const listens = listenOn.flatMap((place) => ['-l', place]);
  const activator = closing(spawn('systemd-socket-activate', [...listens, ...args, ...service]));
  activator.stderr.setEncoding('utf8');
  let log = '';
  while (log.split('Listening on').length <= listenOn.length) log += (await once(activator.stderr, 'data'))[0];
  return activator;
}

async function ask(place) {
  return JSON.parse(await text(closing(net.connect(place))));
}

async function freePort() {
  const server = net.createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  server.close();
  await once(server, 'close');
  return port;
}

describe('under systemd-socket-activate', () => {
  underActivator('serves a path', async () => {
    const file = socketPath();
    const activator = await activate([file], ['--fdname=control']);
    const answer = await ask(file);
    expect(answer.descriptors).toEqual([{ fd: 3, name: 'control', address: file, isCloseOnExec: true }]);
    expect(answer.server).toBe(file);
    await once(activator, 'exit');
  });

  underActivator('serves a port', async () => {
    const port = await freePort();
    const activator = await activate([`127.0.0.1:${port}`], []);
    const answer = await ask(port);
    const address = { address: '127.0.0.1', family: 'IPv4', port };
    expect(answer.descriptors).toEqual([{ fd: 3, name: 'unknown', address, isCloseOnExec: true }]);
    expect(answer.server).toEqual(address);
    await once(activator, 'exit');
  });

  underActivator('serves several, each by its name', async () => {
    const [file, other] = [socketPath(), socketPath()];
    const name = `pipewright-${process.pid}`;
    const activator = await activate([file, `@${name}`, other], ['--fdname=one:two:three']);
    const { descriptors } = await ask(other);
    expect(descriptors.map((each) => [each.fd, each.name, each.address])).toEqual([
      [3, 'one', file],
      [4, 'two', `\0${name}`],
      [5, 'three', other],
    ]);
    await once(activator, 'exit');
  });

  underActivator('takes the variables out of the environment, so that a second call finds none', async () => {
    const file = socketPath();
    const activator = await activate([file], []);
    const { env, again } = await ask(file);
    expect({ env, again }).toEqual({ env: [], again: 0 });
    await once(activator, 'exit');
  });

  underActivator("does not remove the file, which is systemd's", async () => {
    const file = socketPath();
    const activator = await activate([file], []);
    await ask(file);
    await once(activator, 'exit');
    expect(fs.existsSync(file)).toBe(true);
  });

  underActivator('serves node:http, whose listen() takes a descriptor', async () => {
    const file = socketPath();
    const activator = await activate([file], [], 'systemd_http.js');
    const [response] = await once(http.get({ socketPath: file, path: '/hello', agent: false }), 'response');
    expect(await text(response)).toBe('/hello');
    await once(activator, 'exit');
  });

  underActivator('serves the one connection of a unit with Accept=yes', async () => {
    const file = socketPath();
    await activate([file], ['--accept'], 'systemd_accepted.js');
    const client = closing(net.connect(file));
    client.write('hello');
    const [reply] = await once(client.setEncoding('utf8'), 'data');
    expect(reply).toBe('unknown: hello');
  });
});

describe('the environment', () => {
  const VARIABLES = ['LISTEN_PID', 'LISTEN_FDS', 'LISTEN_FDNAMES', 'LISTEN_PIDFDID'];

  function withEnvironment(variables) {
    Object.assign(process.env, variables);
    try {
      return listenDescriptors();
    } finally {
      expect(VARIABLES.filter((name) => name in process.env)).toEqual([]);
    }
  }

  const OURS = { LISTEN_PID: String(process.pid) };

  test.each([
    ['is empty', {}],
    ['names another process', { LISTEN_PID: '1', LISTEN_FDS: '1' }],
    ['names no process', { LISTEN_FDS: '1' }],
    ['has no number of descriptors', { ...OURS }],
    ['has none of them', { ...OURS, LISTEN_FDS: '0', LISTEN_FDNAMES: '' }],
  ])('that %s gives no descriptors', (_, variables) => {
    expect(withEnvironment(variables)).toEqual([]);
  });

  test.each([
    ['no number', { ...OURS, LISTEN_FDS: 'x' }, /LISTEN_FDS' must be a number of descriptors\. Received 'x'/],
    ['a negative number', { ...OURS, LISTEN_FDS: '-1' }, /LISTEN_FDS' must be a number of descriptors/],
    ['too few names', { ...OURS, LISTEN_FDS: '2', LISTEN_FDNAMES: 'a' }, /LISTEN_FDNAMES' must have 2 names/],
  ])('that holds %s is refused', (_, variables, message) => {
    expect(() => withEnvironment(variables)).toThrow(
      expect.objectContaining({ code: 'ERR_INVALID_ARG_VALUE', message: expect.stringMatching(message) }),
    );
  });

  test('that promises more descriptors than there are is refused with EBADF', () => {
    const variables = { ...OURS, LISTEN_FDS: '999999' };
    expect(() => withEnvironment(variables)).toThrow(expect.objectContaining({ code: 'EBADF', syscall: 'fcntl' }));
  });
});
