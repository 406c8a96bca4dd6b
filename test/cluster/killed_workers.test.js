'use strict';

// Workers are killed under load, and no client comes to harm whose request none of them has taken
// up: the client that sends one byte speaks first, or the server.

const { execFileSync } = require('node:child_process');
const path = require('node:path');
const { runFixture } = require('../helpers/child');
const { temporaryFolder } = require('../helpers/socket_path');
const { testNeeding } = require('../helpers/needed_programs');
const { isStress } = require('../helpers/stress');

const SECONDS = isStress ? 30 : 2;

const testWithCompiler = testNeeding('cc');

const ALL = ['process', 'thread'].flatMap((worker) =>
  ['path', 'port'].flatMap((kind) => ['first-byte', 'accept'].map((ack) => [worker, kind, ack])),
);
const CASES = isStress
  ? ALL
  : ALL.filter(([worker, kind, ack]) => worker === 'process' || (kind === 'path') === (ack === 'accept'));

for (const [worker, kind, ack] of CASES) {
  testWithCompiler(`a ${worker} killed every 200 ms, over a ${kind}, with ack: '${ack}'`, async () => {
    const folder = temporaryFolder();
    const clients = path.join(folder, 'clients');
    const source = path.join(__dirname, '../fixtures/cluster/process_clients.c');
    execFileSync('cc', ['-O1', '-Wall', '-Werror', '-o', clients, source]);
    const args = [clients, folder, SECONDS, kind, ack, worker];
    const { stdout, stderr } = await runFixture('cluster/killed_workers.js', args);
    expect(stderr).toBe('');
    const { harmed, kills, moved, pending, left } = JSON.parse(stdout);
    expect(harmed).toEqual([]);
    expect(kills).toBeGreaterThan(0);
    expect(moved).toBeGreaterThan(0);
    expect(pending).toBe(0);
    expect(left).toEqual([]);
  });
}
