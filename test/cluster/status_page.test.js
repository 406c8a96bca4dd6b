'use strict';

// The status page: what it answers, to whom, and what a browser makes of it.

const { once } = require('node:events');
const fs = require('node:fs');
const http = require('node:http');
const net = require('node:net');
const path = require('node:path');
const { chromium } = require('playwright-core');
const { createCluster } = require('../../lib/cluster');
const { textOf } = require('../helpers/children');
const { closing } = require('../helpers/closing');
const { findProgram, testNeeding } = require('../helpers/needed_programs');
const { socketPath } = require('../helpers/socket_path');
const { until } = require('../helpers/until');

/** Starts a cluster with a status page, and waits until its worker is ready. */
async function start(statusPage) {
  const exec = path.join(__dirname, '../fixtures/cluster/serving_worker.js');
  const cluster = createCluster({ exec, args: ['http'], workers: 1, statusPage });
  closing(() => cluster.close());
  const socket = socketPath();
  cluster.listen(socket);
  await once(cluster, 'ready');
  return { cluster, socket };
}

async function get(target, method = 'GET') {
  const request = http.request({ agent: false, method, ...target });
  const [response] = await once(request.end(), 'response');
  return { status: response.statusCode, headers: response.headers, text: await textOf(response) };
}

test('gives what stats() says on a path that only its user may use', async () => {
  const socketOfPage = socketPath();
  const { cluster, socket } = await start({ path: socketOfPage });
  expect(fs.statSync(socketOfPage).mode & 0o777).toBe(0o600);
  expect(cluster.statusAddress()).toBe(socketOfPage);
  await get({ socketPath: socket });
  const { text, headers } = await get({ socketPath: socketOfPage, path: '/stats.json' });
  expect(headers['content-type']).toBe('application/json');
  const stats = JSON.parse(text);
  expect(stats).toMatchObject({ pid: process.pid, addresses: [socket], accepted: 1, schedule: 'round-robin' });
  expect(stats.workers).toMatchObject([{ id: 1, state: 'ready', assigned: 1, restarts: 0 }]);
  await cluster.close();
  expect(fs.existsSync(socketOfPage)).toBe(false);
});

test('on a port, answers only who asks for it by a name of this machine', async () => {
  const { cluster } = await start({ port: 0 });
  const { port, address } = /** @type {any} */ (cluster.statusAddress());
  expect(address).toBe('127.0.0.1');
  const statuses = [];
  for (const host of [
    `127.0.0.1:${port}`,
    `localhost:${port}`,
    `[::1]:${port}`,
    `evil.example:${port}`,
    '127.0.0.1.evil.example',
  ]) {
    statuses.push((await get({ port, path: '/stats.json', headers: { host } })).status);
  }
  expect(statuses).toEqual([200, 200, 200, 421, 421]);
});

test('answers GET and HEAD, and each answer forbids what it does not need', async () => {
  const { cluster } = await start({ port: 0 });
  const { port } = /** @type {any} */ (cluster.statusAddress());
  expect(await get({ port, path: '/page.js' }, 'POST')).toMatchObject({ status: 405, headers: { allow: 'GET, HEAD' } });
  expect(await get({ port }, 'HEAD')).toMatchObject({ status: 200, text: '' });
  const lost = await get({ port, path: '/../cluster.js' });
  expect(lost.status).toBe(404);
  expect(lost.headers['content-security-policy']).toMatch(/^default-src 'none'; script-src 'self'; style-src 'self';/);
  expect(lost.headers['x-content-type-options']).toBe('nosniff');
});

test('waits for its address while another process has it, with an error', async () => {
  const other = closing(net.createServer()).listen(0, '127.0.0.1');
  await once(other, 'listening');
  const { port } = /** @type {any} */ (other.address());
  const exec = path.join(__dirname, '../fixtures/cluster/serving_worker.js');
  const cluster = createCluster({ exec, args: ['http'], workers: 1, statusPage: { port } });
  closing(() => cluster.close());
  expect((await once(cluster, 'error').catch((error) => [error]))[0]).toMatchObject({ code: 'EADDRINUSE' });
  other.close();
  await until(() => cluster.statusAddress() !== null);
  expect((await get({ port, path: '/stats.json' })).status).toBe(200);
});

test.each([
  [{ port: 0, host: '0.0.0.0' }, 'ERR_INVALID_ARG_VALUE'],
  [{ port: 70_000 }, 'ERR_SOCKET_BAD_PORT'],
  [{}, 'ERR_SOCKET_BAD_PORT'],
  ['/run/x', 'ERR_INVALID_ARG_TYPE'],
])('refuses %j', (statusPage, code) => {
  expect(() => createCluster({ exec: 'x.js', statusPage })).toThrow(expect.objectContaining({ code }));
});

testNeeding('chromium')('shows the workers in a browser, and goes on showing how they are', async () => {
  const { cluster, socket } = await start({ port: 0 });
  const { port } = /** @type {any} */ (cluster.statusAddress());
  const executablePath = findProgram('chromium');
  const browser = closing(await chromium.launch({ executablePath, args: ['--no-sandbox', '--disable-gpu'] }));
  const page = await browser.newPage({ colorScheme: 'dark' });
  const complaints = [];
  page.on('console', (message) => complaints.push(message.text()));
  page.on('pageerror', (error) => complaints.push(error.message));
  await page.goto(`http://127.0.0.1:${port}/`);
  const row = page.locator('#workers tr');
  await row.getByText('ready').waitFor();
  expect(await page.locator('#summary').textContent()).toContain(socket);
  await get({ socketPath: socket });
  await row.locator('td:nth-child(5)').getByText('1', { exact: true }).waitFor(); // Assigned.
  await page.locator('figure path.line[d*="L"]').first().waitFor({ state: 'attached' }); // Two points.
  process.kill(cluster.stats().workers[0].pid, 'SIGKILL');
  await row.locator('td:nth-child(7)').getByText('1', { exact: true }).waitFor(); // Restarts.
  expect(complaints).toEqual([]);
  await cluster.close();
  await page.getByRole('alert').waitFor();
});
