'use strict';

// Programs that we did not write, at the other end of our sockets. Each is started here,
// on paths in a temporary folder, and ended by its pid.

const { execFileSync, spawn } = require('node:child_process');
const { once } = require('node:events');
const fs = require('node:fs');
const http = require('node:http');
const path = require('node:path');
const net = require('../../lib/net');
const { closing } = require('../helpers/closing');
const { outputOf, startFixture } = require('../helpers/child');
const { readAll } = require('../helpers/net_pair');
const { socketPath, temporaryFolder } = require('../helpers/socket_path');
const { findProgram, testNeeding } = require('../helpers/needed_programs');
const { connectWhenThere } = require('../helpers/programs');

async function listen(server, options = socketPath()) {
  closing(server);
  await once(server.listen(options), 'listening');
  return server.address();
}

const echoServer = () => net.createServer({ allowHalfOpen: true }, (socket) => socket.pipe(socket));

// Runs a program to its end, with this on its stdin.
async function run(command, args, input = '') {
  const child = closing(spawn(command, args, { stdio: ['pipe', 'pipe', 'pipe'] }));
  child.stdin.on('error', () => {}).end(input);
  const [stdout, stderr] = await Promise.all([readAll(child.stdout), readAll(child.stderr)]);
  return { stdout, stderr };
}

const LARGE = 'a line of text\n'.repeat(100_000);

describe('clients of our server', () => {
  const CLIENTS = {
    socat: (name) => ['socat', ['-t', '10', '-', `UNIX-CONNECT:${name}`]],
    nc: (name) => ['nc', ['-N', '-U', name]],
    python3: (name) => ['python3', [path.join(__dirname, '../fixtures/net/echo_client.py'), name]],
    perl: (name) => ['perl', ['-e', 'use IO::Socket::UNIX; my $s = IO::Socket::UNIX->new($ARGV[0]) or die; $/ = undef; my $pid = fork; if (!$pid) { print $s <STDIN>; $s->shutdown(1); exit } print <$s>; wait', name]], // prettier-ignore
  };

  for (const [program, command] of Object.entries(CLIENTS)) {
    testNeeding(program)(`${program} is echoed a line`, async () => {
      const { stdout, stderr } = await run(...command(await listen(echoServer())), 'hello\n');
      expect({ stdout, stderr }).toEqual({ stdout: 'hello\n', stderr: '' });
    });

    testNeeding(program)(`${program} is echoed a megabyte and a half, half-closed`, async () => {
      const { stdout } = await run(...command(await listen(echoServer())), LARGE);
      expect(stdout === LARGE).toBe(true);
    });
  }

  testNeeding('socat')('socat reaches an abstract name', async () => {
    const name = `pipewright-peers-${process.pid}`;
    await listen(echoServer(), `\0${name}`);
    expect((await run('socat', ['-t', '10', '-', `ABSTRACT-CONNECT:${name}`], 'x')).stdout).toBe('x');
  });

  test('python over TCP is echoed', async () => {
    const { port } = await listen(echoServer(), { port: 0, host: '127.0.0.1' });
    expect(
      (await run('python3', [path.join(__dirname, '../fixtures/net/echo_client.py'), String(port)], 'x')).stdout,
    ).toBe('x');
  });
});

describe('servers for our client', () => {
  async function talk(name, text) {
    const client = await connectWhenThere(net, name);
    client.end(text);
    return readAll(client);
  }

  testNeeding('socat')('socat echoes', async () => {
    const name = socketPath();
    closing(spawn('socat', [`UNIX-LISTEN:${name},fork`, 'SYSTEM:cat'], { stdio: 'ignore' }));
    expect(await talk(name, LARGE)).toHaveLength(LARGE.length);
  });

  testNeeding('nc')('nc -lU is sent to, and sends', async () => {
    const name = socketPath();
    const nc = closing(spawn('nc', ['-N', '-l', '-U', name], { stdio: ['pipe', 'pipe', 'ignore'] }));
    nc.stdin.end('from nc');
    const said = readAll(nc.stdout);
    expect([await talk(name, 'from us'), await said]).toEqual(['from nc', 'from us']);
  });
});

describe('curl', () => {
  async function curl(...args) {
    const inner = http.createServer((req, res) => {
      res.setHeader('x-method', req.method);
      req.pipe(res);
    });
    const name = await listen(net.createServer({ allowHalfOpen: true }, (socket) => inner.emit('connection', socket)));
    return (await run('curl', ['-sS', '--unix-socket', name, ...args])).stdout;
  }

  testNeeding('curl')('gets an answer', async () => {
    expect(await curl('-i', 'http://localhost/')).toMatch(/^HTTP\/1.1 200 OK\r\nx-method: GET/);
  });

  testNeeding('curl')('posts a large body and gets it back', async () => {
    const file = path.join(temporaryFolder(), 'body');
    fs.writeFileSync(file, LARGE);
    expect((await curl('--data-binary', `@${file}`, 'http://localhost/')) === LARGE).toBe(true);
  });

  testNeeding('curl')('uses one connection for two requests', async () => {
    expect(await curl('-w', '%{num_connects}', '-d', 'a', 'http://localhost/', '-d', 'b', 'http://localhost/')).toMatch(
      /1.*0$/,
    );
  });
});

describe('redis', () => {
  async function startRedis() {
    const name = socketPath();
    closing(
      spawn(
        findProgram('redis-server'),
        ['--port', '0', '--unixsocket', name, '--save', '', '--dir', path.dirname(name)],
        {
          stdio: 'ignore',
        },
      ),
    );
    (await connectWhenThere(net, name)).destroy();
    return name;
  }

  // ioredis makes its stream in a connector, which may be one's own.
  function connectRedis(name) {
    const { Redis, AbstractConnector } = require('ioredis');
    class Connector extends AbstractConnector {
      connect() {
        this.connecting = true;
        this.stream = closing(net.connect(name));
        return Promise.resolve(this.stream);
      }
    }
    return new Redis({ Connector, lazyConnect: true, retryStrategy: null });
  }

  testNeeding('redis-server')('answers ioredis over a stream of ours', async () => {
    const redis = connectRedis(await startRedis());
    await redis.connect();
    await redis.set('key', 'x'.repeat(1_000_000));
    expect((await redis.get('key')).length).toBe(1_000_000);
    const numbers = await Promise.all(Array.from({ length: 1000 }, () => redis.incr('count')));
    expect(numbers).toEqual(Array.from({ length: 1000 }, (_, i) => i + 1));
    await redis.quit();
  });
});

describe('PostgreSQL', () => {
  testNeeding('initdb', 'postgres')('answers pg over a stream of ours', async () => {
    const { Client } = require('pg');
    const { folder, user } = await startPostgres();
    const client = new Client({
      user,
      database: 'postgres',
      stream: () => pgStream(path.join(folder, '.s.PGSQL.5432')),
    });
    await client.connect();
    const { rows } = await client.query('select $1::text as text, $2::int + 1 as number', ['ü', 41]);
    expect(rows).toEqual([{ text: 'ü', number: 42 }]);
    const { rows: many } = await client.query("select repeat('x', 1000) as text from generate_series(1, 5000)");
    expect(many).toHaveLength(5000);
    await client.end();
  });

  // pg calls connect(port, host); the path is ours.
  function pgStream(name) {
    const socket = new net.Socket();
    const { connect } = socket;
    socket.connect = () => connect.call(socket, name);
    return closing(socket);
  }

  // PostgreSQL does not run as root.
  async function startPostgres() {
    const bin = path.dirname(fs.realpathSync(findProgram('postgres')));
    const folder = temporaryFolder(0o777);
    const data = path.join(folder, 'data');
    const isRoot = process.getuid() === 0;
    const ids = isRoot ? { uid: 65534, gid: 65534 } : {};
    const user = 'tester';
    const options = { ...ids, stdio: 'ignore', env: { ...process.env, HOME: folder, LC_ALL: 'C' }, cwd: folder };
    execFileSync(path.join(bin, 'initdb'), ['-D', data, '-U', user, '--auth=trust', '--no-sync'], options);
    const server = spawn(
      path.join(bin, 'postgres'),
      ['-D', data, '-k', folder, '-c', 'listen_addresses=', '-c', 'fsync=off'],
      { ...options, stdio: ['ignore', 'ignore', 'pipe'] },
    );
    const exited = once(server, 'exit');
    closing(() => (server.kill('SIGINT'), exited));
    let log = '';
    while (!log.includes('ready to accept connections')) log += (await once(server.stderr, 'data'))[0];
    server.stderr.resume();
    return { folder, user };
  }
});

testNeeding('nginx', 'curl')('nginx passes requests to an http server on our path with mode 0660', async () => {
  const folder = temporaryFolder(0o755);
  const inner = http.createServer((req, res) => res.end(`${req.url} behind nginx`));
  const upstream = net.createServer({ allowHalfOpen: true }, (socket) => inner.emit('connection', socket));
  // Its workers are www-data where it was started by root; else it is this user.
  const isRoot = process.getuid() === 0;
  const group = isRoot ? 'www-data' : process.getgid();
  await listen(upstream, { path: path.join(folder, 'app'), mode: 0o660, group });
  const front = path.join(folder, 'front');
  fs.writeFileSync(path.join(folder, 'nginx.conf'), nginxConfiguration({ folder, front, isRoot }));
  fs.mkdirSync(path.join(folder, 'tmp'));
  const nginx = closing(
    spawn(findProgram('nginx'), ['-p', folder, '-c', 'nginx.conf', '-e', 'error.log'], { stdio: 'ignore' }),
  );
  (await connectWhenThere(net, front)).destroy();
  const { stdout } = await run('curl', ['-sS', '--unix-socket', front, 'http://localhost/page']);
  expect(stdout).toBe('/page behind nginx');
  nginx.kill('SIGTERM');
  await once(nginx, 'exit');
});

const nginxConfiguration = ({ folder, front, isRoot }) => `
daemon off; pid nginx.pid; worker_processes 1; ${isRoot ? 'user www-data;' : ''}
events { worker_connections 64; }
http {
  access_log off;
  ${['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((name) => `${name}_temp_path ${folder}/tmp/${name};`).join(' ')}
  server { listen unix:${front}; location / { proxy_pass http://unix:${folder}/app; } }
}`;

test('a python program finds the mode, and our server sees who it is', async () => {
  const server = net.createServer((socket) => socket.end(JSON.stringify(socket.peerCredentials())));
  const name = await listen(server, { path: socketPath(), mode: 0o640 });
  const client = startFixture('net/echo_client.py', [name], { program: 'python3' });
  client.stdin.end();
  const said = JSON.parse(await outputOf(client, '}'));
  expect(said).toMatchObject({ uid: process.getuid() });
  expect(fs.statSync(name).mode & 0o777).toBe(0o640);
});
