'use strict';

// `pipewright status`, of a cluster that `pipewright cluster` runs.

const path = require('node:path');
const { spawn } = require('node:child_process');
const { said } = require('../helpers/children');
const { closing } = require('../helpers/closing');
const { COMMAND, runCommand, startCommand } = require('../helpers/command');
const { testNeeding } = require('../helpers/needed_programs');
const { socketPath } = require('../helpers/socket_path');

const PROGRAM = path.join(__dirname, '../fixtures/cluster/unchanged_server.js');

async function startCluster() {
  const [socket, status] = [socketPath(), socketPath('status')];
  const command = startCommand([
    'cluster',
    '-w',
    2,
    '-l',
    socket,
    '--status',
    status,
    PROGRAM,
    '--',
    'http',
    '{"port":1}',
  ]);
  await command.said('2 workers are ready');
  return { command, socket, status };
}

test('prints a table once where there is no terminal, and JSON', async () => {
  const { command, socket, status } = await startCluster();
  const { code, output } = await runCommand(['status', status]);
  expect(code).toBe(0);
  const [about, , , head, ...rows] = output.trimEnd().split('\n');
  expect(about).toContain(`process ${command.pid}, up `);
  expect(about).toContain(socket);
  expect(head.trim().split(/ +/).slice(0, 4)).toEqual(['ID', 'PID', 'STATE', 'ACTIVE']);
  expect(rows.map((row) => row.trim().split(/ +/)[2])).toEqual(['ready', 'ready']);
  const json = await runCommand(['status', '--json', status]);
  expect(JSON.parse(json.output)).toMatchObject({ pid: command.pid, addresses: [socket] });
});

test('says in one line that there is none, or something else', async () => {
  expect(await runCommand(['status', '/nowhere/s'])).toMatchObject({
    code: 1,
    output: 'pipewright: no status at /nowhere/s: ENOENT\n',
  });
  const { socket } = await startCluster();
  expect(await runCommand(['status', socket])).toMatchObject({
    code: 1,
    output: `pipewright: no status at ${socket}: another server answers\n`,
  });
});

testNeeding('script')('is kept up to date at a terminal, which is afterwards as it was', async () => {
  const { command, status } = await startCluster();
  const line = `exec ${process.execPath} ${COMMAND} status ${status}`;
  const terminal = closing(spawn('script', ['-qfc', line, '/dev/null'], { stdio: ['pipe', 'pipe', 'inherit'] }));
  const stdout = terminal.stdout.setEncoding('utf8');
  expect(await said(stdout, 'Ctrl-C')).toContain('\x1b[?1049h');
  command.kill('SIGTERM');
  await said(stdout, `no status at ${status}`);
  terminal.stdin.write('\x03');
  expect(await said(stdout, '\x1b[?1049l')).toContain('\x1b[?25h');
});
