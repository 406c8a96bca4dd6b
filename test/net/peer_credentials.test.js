'use strict';

// Who is calling: peerCredentials() and allowPeer, against other programs and users.

const { execFile } = require('node:child_process');
const { once } = require('node:events');
const path = require('node:path');
const { promisify } = require('node:util');
const net = require('../../lib/net');
const { closing } = require('../helpers/closing');
const { startFixture } = require('../helpers/child');
const { testNeeding } = require('../helpers/needed_programs');
const { closed, connectedPair } = require('../helpers/net_pair');
const { temporaryFolder } = require('../helpers/socket_path');

const asOthers = process.getuid() === 0 ? testNeeding('perl', 'setpriv') : test.skip;
const run = promisify(execFile);

const KNOCK =
  'use Socket; socket(my $s, PF_UNIX, SOCK_STREAM, 0); connect($s, pack_sockaddr_un($ARGV[0])) or die $!; <$s>';
// setpriv changes the user, then Perl connects and waits for a line or the end.
const knockAs = (flags, name) => run('setpriv', [...flags, 'perl', '-e', KNOCK, name]);

async function openServer(options) {
  const server = closing(net.createServer(options));
  const name = path.join(temporaryFolder(0o755), 's');
  await once(server.listen({ path: name, mode: 0o666 }), 'listening');
  return server;
}

test('both ends see this process', async () => {
  const { client, accepted } = await connectedPair(net);
  const mine = { pid: process.pid, uid: process.getuid(), gid: process.getgid() };
  expect(client.peerCredentials()).toMatchObject(mine);
  expect(accepted.peerCredentials()).toMatchObject(mine);
  const groups = new Set(process.getgroups());
  for (const group of accepted.peerCredentials().groups) expect(groups).toContain(group);
});

test('a child is seen by its pid', async () => {
  const server = await openServer();
  const connection = once(server, 'connection');
  const child = startFixture('net/connect_and_wait.js', [server.address()]);
  const [socket] = await connection;
  closing(socket);
  expect(socket.peerCredentials().pid).toBe(child.pid);
});

for (const [flags, expected] of [
  [['--reuid=65534', '--regid=65534', '--clear-groups'], { uid: 65534, gid: 65534, groups: [] }],
  [['--reuid=1', '--regid=2', '--groups=3,4,5'], { uid: 1, gid: 2, groups: [3, 4, 5] }],
  [
    ['--reuid=1', `--groups=${Array.from({ length: 100 }, (_, i) => 1000 + i)}`],
    { uid: 1, gid: 0, groups: Array.from({ length: 100 }, (_, i) => 1000 + i) },
  ],
]) {
  asOthers(`a peer started with ${flags.join(' ')} is seen so`, async () => {
    const server = await openServer();
    const connection = once(server, 'connection');
    const peer = knockAs(flags, server.address());
    const [socket] = await connection;
    expect(socket.peerCredentials()).toMatchObject(expected);
    socket.end();
    await peer;
  });
}

test('they are still there after the peer has gone', async () => {
  const { client, accepted } = await connectedPair(net, { server: { allowHalfOpen: true } });
  client.destroy();
  await once(accepted.resume(), 'end');
  expect(accepted.peerCredentials()).toMatchObject({ pid: process.pid });
});

test('of a closed socket they are ERR_SOCKET_CLOSED', async () => {
  const { client } = await connectedPair(net);
  client.destroy();
  await closed(client);
  expect(() => client.peerCredentials()).toThrow(expect.objectContaining({ code: 'ERR_SOCKET_CLOSED' }));
});

test('of TCP they are an error of the system', async () => {
  const server = closing(net.createServer());
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const client = closing(net.connect(server.address().port, '127.0.0.1'));
  await once(client, 'connect');
  expect(() => client.peerCredentials()).toThrow(expect.objectContaining({ syscall: 'getsockopt' }));
});

describe('allowPeer', () => {
  // What became of one client of a server that has this function.
  async function knock(allowPeer) {
    const server = await openServer({ allowPeer });
    const events = [];
    server.on('connection', (socket) => events.push(['connection']) && socket.end());
    server.on('drop', (data) => events.push(['drop', data]));
    const client = closing(net.connect(server.address()));
    const err = await closed(client.resume());
    return { events, code: err?.code };
  }

  test('is given the credentials, and lets in by true', async () => {
    let given;
    const { events } = await knock((peer) => ((given = peer), true));
    expect(events).toEqual([['connection']]);
    expect(given).toMatchObject({ pid: process.pid, uid: process.getuid(), groups: expect.any(Array) });
  });

  test.each([false, undefined, null, 0, 1, 'yes', Promise.resolve(true)])(
    'refuses by %p, with a drop',
    async (answer) => {
      const { events } = await knock(() => answer);
      expect(events).toEqual([['drop', { peer: expect.objectContaining({ uid: process.getuid() }) }]]);
    },
  );

  asOthers('refuses by uid', async () => {
    const server = await openServer({ allowPeer: ({ uid }) => uid === 0 });
    const seen = [];
    server.on('connection', (socket) => seen.push(['connection', socket.peerCredentials().uid]) && socket.end());
    server.on('drop', ({ peer }) => seen.push(['drop', peer.uid]));
    await knockAs(['--reuid=65534'], server.address());
    await knockAs(['--reuid=0'], server.address());
    expect(seen).toEqual([['drop', 65534], ['connection', 0]]); // prettier-ignore
  });

  test('refused clients are not counted', async () => {
    const server = await openServer({ allowPeer: () => false });
    const client = closing(net.connect(server.address()));
    await once(server, 'drop');
    expect(await promisify(server.getConnections.bind(server))()).toBe(0);
    await closed(client.resume());
  });

  test.each([1, 'x', {}, null])('must be a function, not %p', (allowPeer) => {
    expect(() => net.createServer({ allowPeer })).toThrow(expect.objectContaining({ code: 'ERR_INVALID_ARG_TYPE' }));
  });
});
