'use strict';

// Workers are killed under load, and no client comes to harm whose request none of them has taken
// up: the client that sends one byte speaks first, or the server.

const { execFileSync } = require('node:child_process');
const path = require('node:path');
const { runFixture } = require('../helpers/child');
const { temporaryFolder } = require('../helpers/socket_path');
const { testNeeding } = require('../helpers/needed_programs');
const { isStress } = require('../helpers/stress');

const KILLS = isStress ? 150 : 6;

const testWithCompiler = testNeeding('cc');

const CASES = [
  ['path', 'first-byte'],
  ['path', 'accept'],
  ['port', 'first-byte'],
  ['port', 'accept'],
  ['path', 'first-byte', 'stop'],
];

for (const [kind, ack, ...manner] of CASES) {
  const title = `a worker ${manner.includes('stop') ? 'stopped, and then ' : ''}killed every 200 ms`;
  testWithCompiler(`${title}, over a ${kind}, with ack: '${ack}'`, async () => {
    const folder = temporaryFolder();
    const clients = path.join(folder, 'clients');
    const source = path.join(__dirname, '../fixtures/cluster/process_clients.c');
    execFileSync('cc', ['-O1', '-Wall', '-Werror', '-o', clients, source]);
    const { stdout, stderr } = await runFixture('cluster/killed_workers.js', [
      clients,
      folder,
      KILLS,
      kind,
      ack,
      ...manner,
    ]);
    expect(stderr).toBe('');
    const { harmed, pending } = JSON.parse(stdout);
    expect({ harmed, pending }).toEqual({ harmed: [], pending: 0 });
  });
}
