'use strict';

// examples/http_cluster.js, alone and by the command, as its head says; and the unit files in
// examples/systemd/, with which systemd would run it.

const { execFile, spawn } = require('node:child_process');
const { once } = require('node:events');
const fs = require('node:fs');
const http = require('node:http');
const net = require('node:net');
const path = require('node:path');
const { promisify } = require('node:util');
const { said, textOf } = require('../helpers/children');
const { closing } = require('../helpers/closing');
const { startCommand } = require('../helpers/command');
const { testNeeding } = require('../helpers/needed_programs');
const { connectWhenThere } = require('../helpers/programs');
const { socketPath, temporaryFolder } = require('../helpers/socket_path');

const ROOT = path.join(__dirname, '../..');
const PROGRAM = path.join(ROOT, 'examples/http_cluster.js');
const UNITS = path.join(ROOT, 'examples/systemd');

async function get(target) {
  const [response] = await once(http.get({ agent: false, ...target }), 'response');
  return JSON.parse(await textOf(response));
}

test('serves alone', async () => {
  const server = net.createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = /** @type {net.AddressInfo} */ (server.address());
  server.close();
  await once(server, 'close');
  const child = closing(spawn(process.execPath, [PROGRAM], { env: { ...process.env, PORT: String(port) } }));
  await connectWhenThere(net, { port, host: '127.0.0.1' });
  expect(await get({ port, host: '127.0.0.1' })).toEqual({ process: child.pid, answered: 1 });
});

test('serves in several processes, unchanged, and goes on when they are replaced', async () => {
  const socket = socketPath();
  const command = startCommand(['cluster', PROGRAM, '-w', 2, '-l', socket]);
  await command.said('2 workers are ready');
  const before = [await get({ socketPath: socket }), await get({ socketPath: socket })];
  expect(before).toMatchObject([{ answered: 1 }, { answered: 1 }]);
  command.kill('SIGHUP');
  await command.said('reloaded');
  const after = await get({ socketPath: socket });
  expect(before.map((answer) => answer.process)).not.toContain(after.process);
});

describe('the unit files', () => {
  /** A copy for this machine: the program is where the service looks for it. */
  function install() {
    const folder = temporaryFolder();
    const modules = path.join(folder, 'node_modules');
    fs.mkdirSync(path.join(modules, '.bin'), { recursive: true });
    fs.symlinkSync(ROOT, path.join(modules, 'pipewright'));
    fs.symlinkSync(path.join(ROOT, 'node_modules/fastify'), path.join(modules, 'fastify'));
    fs.symlinkSync('../pipewright/lib/cli/main.js', path.join(modules, '.bin/pipewright'));
    fs.copyFileSync(PROGRAM, path.join(folder, 'app.js'));
    const files = fs.readdirSync(UNITS).map((name) => {
      const text = fs.readFileSync(path.join(UNITS, name), 'utf8');
      const own = text
        .replaceAll('/usr/bin/node', process.execPath)
        .replaceAll(/^WorkingDirectory=.*/gm, `WorkingDirectory=${folder}`)
        .replaceAll('/run/app/', `${folder}/`);
      fs.writeFileSync(path.join(folder, name), own);
      return path.join(folder, name);
    });
    return { folder, files };
  }

  testNeeding('systemd-analyze')('are what systemd understands', async () => {
    const { files } = install();
    const { stdout, stderr } = await promisify(execFile)('systemd-analyze', ['verify', '--man=no', ...files]);
    const complaints = `${stdout}${stderr}`.split('\n').filter((line) => /app\.(service|socket)/.test(line));
    expect(complaints).toEqual([]);
  });

  testNeeding('systemd-socket-activate')('start a service that serves on the socket', async () => {
    const { folder, files } = install();
    const service = fs.readFileSync(
      files.find((file) => file.endsWith('.service')),
      'utf8',
    );
    const [, line] = /^ExecStart=(.*)$/m.exec(service);
    const socket = socketPath();
    const activator = closing(spawn('systemd-socket-activate', ['-l', socket, ...line.split(' ')], { cwd: folder }));
    await said(activator.stderr.setEncoding('utf8'), 'Listening on');
    expect(await get({ socketPath: socket })).toMatchObject({ answered: 1 });
    const status = await get({ socketPath: path.join(folder, 'status'), path: '/stats.json' });
    expect(status).toMatchObject({ pid: activator.pid, addresses: [socket] });
    activator.kill('SIGTERM'); // It is the service by now.
    expect(await once(activator, 'exit')).toEqual([0, null]);
  });
});
