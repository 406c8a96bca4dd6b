'use strict';

// cluster.handleSignals(), in a process of its own.

const { once } = require('node:events');
const fs = require('node:fs');
const http = require('node:http');
const path = require('node:path');
const { outputOf, startFixture } = require('../helpers/child');
const { closing } = require('../helpers/closing');
const { socketPath, temporaryFolder } = require('../helpers/socket_path');

const SERVING = path.join(__dirname, '../fixtures/cluster/serving_worker.js');

/** A primary with one worker, which is ready. */
async function started(exec = SERVING) {
  const socket = socketPath();
  const primary = startFixture('cluster/signalled_primary.js', [socket, exec, 'http']);
  await outputOf(primary, 'ready 1');
  return { primary, socket };
}

/** Begins a request that the worker does not answer before it stops. */
async function openRequest(socket) {
  const request = closing(http.get({ socketPath: socket, path: '/hang' }));
  request.on('error', () => {});
  await once(request, 'socket');
  if (request.socket.connecting) await once(request.socket, 'connect');
  return request;
}

test.each(['SIGTERM', 'SIGINT'])('%s closes the cluster, and then the process ends', async (signal) => {
  const { primary, socket } = await started();
  primary.kill(signal);
  expect(await once(primary, 'close')).toEqual([0, null]);
  expect(primary.output.stdout).toMatch(/exit 1 0\nclose\n$/);
  expect(fs.existsSync(socket)).toBe(false);
});

test('a second SIGTERM kills the workers', async () => {
  const { primary, socket } = await started();
  await openRequest(socket);
  primary.kill('SIGTERM');
  await outputOf(primary, 'draining 1');
  primary.kill('SIGTERM');
  expect(await once(primary, 'close')).toEqual([0, null]);
  expect(primary.output.stdout).toMatch(/exit 1 SIGKILL\nclose\n$/);
});

test('SIGHUP reloads; a reload that fails is a warning, and the old worker goes on', async () => {
  const exec = path.join(temporaryFolder(), 'worker.js');
  const write = (text) => fs.writeFileSync(exec, text);
  write(`require(${JSON.stringify(SERVING)})`);
  const { primary } = await started(exec);
  primary.kill('SIGHUP');
  await outputOf(primary, 'exit 1 0');
  expect(primary.output.stdout).toMatch(/^ready 1\nready 2\n(reload\ndraining 1|draining 1\nreload)\n/);
  write('process.exit(1)');
  primary.kill('SIGHUP');
  await outputOf(primary, 'warning ERR_CLUSTER_RELOAD_FAILED');
  primary.kill('SIGTERM');
  await once(primary, 'close');
  expect(primary.output.stdout).toMatch(/exit 2 0\nclose\n$/);
});

test('a worker leaves SIGINT and SIGHUP, which a terminal sends to all, to its primary', async () => {
  const { primary, socket } = await started();
  const pid = fs.readFileSync(`/proc/${primary.pid}/task/${primary.pid}/children`, 'utf8').trim();
  process.kill(Number(pid), 'SIGINT');
  process.kill(Number(pid), 'SIGHUP');
  const [response] = await once(http.get({ socketPath: socket }), 'response');
  response.resume();
  expect(response.statusCode).toBe(200);
  primary.kill('SIGTERM');
  await once(primary, 'close');
  expect(primary.output.stdout).toMatch(/^ready 1\ndraining 1\nexit 1 0\nclose\n$/);
});
