'use strict';

// Tables of descriptors that are full: nobody is lost, neither in the primary nor in a worker.

const { execFileSync } = require('node:child_process');
const { once } = require('node:events');
const fs = require('node:fs');
const http = require('node:http');
const path = require('node:path');
const { createCluster } = require('../../lib/cluster');
const { outputOf, startFixture } = require('../helpers/child');
const { closing } = require('../helpers/closing');
const { testNeeding } = require('../helpers/needed_programs');
const { socketPath } = require('../helpers/socket_path');

const CLIENTS = 200;

function get(socket) {
  return new Promise((resolve, reject) => {
    const request = http.get({ agent: false, socketPath: socket }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (chunk) => (text += chunk));
      response.on('end', () => resolve(text));
    });
    request.on('error', reject);
  });
}

const openFiles = (pid) => fs.readdirSync(`/proc/${pid}/fd`).length;
const limitFiles = (pid, room) => execFileSync('prlimit', ['--pid', pid, `--nofile=${openFiles(pid) + room}`]);

for (const kind of ['round-robin', 'sticky']) {
  testNeeding('prlimit')(`of a worker refuses connections, ${kind}: they come again, or another has them`, async () => {
    const cluster = createCluster({
      exec: path.join(__dirname, '../fixtures/cluster/serving_worker.js'),
      args: ['http'],
      workers: 2,
      schedule: kind,
    });
    closing(() => cluster.close());
    const socket = socketPath();
    const ready = new Promise((resolve) => {
      const workers = [];
      cluster.on('ready', (worker) => workers.push(worker) === 2 && resolve(workers));
    });
    await Promise.all([ready, once(cluster.listen({ path: socket }), 'listening')]);
    await get(socket);
    for (const { pid } of await ready) limitFiles(pid, 4);
    const answers = await Promise.all(Array.from({ length: CLIENTS }, () => get(socket)));
    for (const answer of answers) expect(answer).toMatch(/^\d+ \d+$/);
    const { workers, pending, restarts } = cluster.stats();
    expect(workers.reduce((sum, { refused }) => sum + refused, 0)).toBeGreaterThan(0);
    expect({ pending, restarts }).toEqual({ pending: 0, restarts: 0 });
  });
}

for (const [name, withWorkers] of [
  ['of the primary stops the accepting', false],
  ['of the primary and of its workers at once harm no client', true],
]) {
  testNeeding('prlimit')(name, async () => {
    const socket = socketPath();
    const primary = startFixture('cluster/primary.js', [socket]);
    const [, ...workers] = (await outputOf(primary, 'ready')).trim().split(' ');
    limitFiles(primary.pid, 4);
    if (withWorkers) for (const pid of workers) limitFiles(pid, 4);
    const answers = await Promise.all(Array.from({ length: CLIENTS }, () => get(socket)));
    for (const answer of answers) expect(answer).toMatch(/^\d+ \d+$/);
    expect(primary.output.stderr).toBe('');
  });
}
