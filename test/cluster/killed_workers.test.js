'use strict';

// Workers are killed under load, and no client comes to harm whose request none of them has taken
// up: the client that sends one byte speaks first, or the server.

const { execFileSync } = require('node:child_process');
const path = require('node:path');
const { runFixture } = require('../helpers/child');
const { temporaryFolder } = require('../helpers/socket_path');
const { testNeeding } = require('../helpers/needed_programs');
const { isStress } = require('../helpers/stress');

const KILLS = isStress ? 150 : 4;

const testWithCompiler = testNeeding('cc');

const ALL = ['process', 'stopped', 'thread'].flatMap((victims) =>
  ['path', 'port'].flatMap((kind) => ['first-byte', 'accept'].map((ack) => [victims, kind, ack])),
);
const CASES = isStress
  ? ALL
  : ALL.filter(([victims, kind, ack]) => victims === 'process' || (kind === 'path') === (ack === 'first-byte'));

for (const [victims, kind, ack] of CASES) {
  const title = victims === 'stopped' ? 'a process stopped, and then killed' : `a ${victims} killed`;
  testWithCompiler(`${title} every 200 ms, over a ${kind}, with ack: '${ack}'`, async () => {
    const folder = temporaryFolder();
    const clients = path.join(folder, 'clients');
    const source = path.join(__dirname, '../fixtures/cluster/process_clients.c');
    execFileSync('cc', ['-O1', '-Wall', '-Werror', '-o', clients, source]);
    const args = [clients, folder, KILLS, kind, ack, victims];
    const { stdout, stderr } = await runFixture('cluster/killed_workers.js', args);
    expect(stderr).toBe('');
    const { harmed, pending, left } = JSON.parse(stdout);
    expect({ harmed, pending, left }).toEqual({ harmed: [], pending: 0, left: [] });
  });
}
