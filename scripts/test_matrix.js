#!/usr/bin/env node
'use strict';

// `npm run test:matrix`: the tests, with the binary that is built, on the lowest Node
// of `engines` and on each line that is maintained. Arguments are Jest's; `--others`
// leaves out the version that runs this script, `--nodes 22,24` names them. Tests of fork()
// (test/helpers/plain_nodes.js) run with children of each by one version, and by each with
// children of this one and its own: each with each would take minutes, and find no more.

const { spawnSync } = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { fetchNode, supportedVersions } = require('./nodes');

const JEST = path.join(__dirname, '../node_modules/jest/bin/jest.js');

function main(args) {
  const { nodes, isOthersOnly, jestArgs } = parse(args);
  const all = nodes.map(fetchNode);
  const fetched = all.filter(({ version }) => !isOthersOnly || version !== process.versions.node);
  const [first] = fetched;
  const others = (node) => (node === first ? all.map(({ program }) => program) : [process.execPath]);
  const results = fetched.map((node) => ({ version: node.version, ...runTests(node, others(node), jestArgs) }));
  process.stdout.write('\n');
  for (const { version, status, passed, failed } of results) {
    const how = status === 0 ? 'green' : `ended with ${status}`;
    process.stdout.write(`Node ${version}: ${passed} passed, ${failed} failed, ${how}\n`);
  }
  const green = results.filter(({ status }) => status === 0).map(({ version }) => version);
  process.stdout.write(`Tried with ${green.join(', ') || 'none'}.\n`);
  process.exitCode = green.length === fetched.length ? 0 : 1;
}

function parse(args) {
  const jestArgs = [...args];
  const isOthersOnly = jestArgs[0] === '--others' && jestArgs.shift() !== undefined;
  const named = jestArgs[0] === '--nodes' ? jestArgs.splice(0, 2)[1].split(',') : undefined;
  return { nodes: named ?? supportedVersions(), isOthersOnly, jestArgs };
}

// Tests start their programs by process.execPath; what asks PATH for node gets the same.
function runTests({ program, version }, childPrograms, jestArgs) {
  process.stdout.write(`\n==> Node ${version}\n`);
  const counts = path.join(fs.mkdtempSync(path.join(os.tmpdir(), 'matrix-')), 'counts');
  const env = {
    PIPEWRIGHT_PLAIN_NODES: childPrograms.filter((each) => each !== program).join(':'),
    ...process.env,
    PATH: `${path.dirname(program)}:${process.env.PATH}`,
    PIPEWRIGHT_TEST_COUNTS: counts,
  };
  const { status, signal } = spawnSync(program, [JEST, ...jestArgs], { env, stdio: 'inherit' });
  const text = fs.existsSync(counts) ? fs.readFileSync(counts, 'utf8') : '';
  fs.rmSync(path.dirname(counts), { recursive: true });
  passOn(text);
  const [passed = 0, failed = 0] = text.trim().split(' ').map(Number);
  return { status: status ?? signal, passed, failed };
}

// To a script that sums several runs.
function passOn(text) {
  const file = process.env.PIPEWRIGHT_TEST_COUNTS;
  if (file) fs.appendFileSync(file, text);
}

main(process.argv.slice(2));
