#!/usr/bin/env node
'use strict';

// `npm run conformance:docs -- --tests DIR`: the tables of docs/conformance.md, on each
// Node whose results on Node's own modules are known (conformance/baseline).

const { spawnSync } = require('node:child_process');
const path = require('node:path');
const { fetchNode } = require('./nodes');

const VERSIONS = ['20', '24', '26'];
const LISTS = {
  net: 'net-path,net-api,net-tcp,wider-net',
  child_process: 'child-process,child-process-fork,wider-child-process',
};

const runs = VERSIONS.flatMap((version) => Object.keys(LISTS).map((module) => ({ version, module })));
const statuses = runs.map(({ version, module }) => {
  const { program } = fetchNode(version);
  const options = ['--node', program, '--only', module, '--list', LISTS[module], '--docs', ...process.argv.slice(2)];
  return spawnSync(process.execPath, [path.join(__dirname, 'conformance.js'), ...options], { stdio: 'inherit' }).status;
});
process.exitCode = statuses.every((status) => status === 0) ? 0 : 1;
