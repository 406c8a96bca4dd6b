'use strict';

// `npm run test:asan [-- arguments of Jest]`: the suites below with the addon of
// sanitizers.js. A report of a sanitizer fails the run, also one by a child process of a
// test, whatever the test itself makes of it.

const { spawnSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');
const { ROOT, build, environment, makeReportsFolder, readReports } = require('./sanitizers');

const SUITES = [
  ...['core', 'net', 'descriptors', 'child_process', 'dgram', 'channel'].map((room) => `test/${room}/`),
  // Of the cluster what runs in one process: workers take seconds to start under a sanitizer.
  'test/cluster/native',
  'test/cluster/threads',
];

const FORKS = 'fork(2) copies the page tables of the shadow memory: a child is late, hundreds of them take minutes';

// Seen in ps: textdomain(3) waits for a lock of its own.
const HANGS = 'hangs at its start under a preloaded sanitizer';

/** What cannot run here, by a part of its title, and why. */
const LEFT_OUT = {
  'the vfork engine tells ENOMEM when memory is out at its first spawn, and goes on':
    'it limits the address space, of which the sanitizer reserves 20 TB',
  'with the engine uv › many children that end at once are told apart': FORKS,
  'a child of the uv engine › many of them end at once with the right codes': FORKS,
  'the uv engine › tells EAGAIN at the limit of processes, and goes on below it': FORKS,
  'the uv engine › goes on after a full descriptor table': FORKS,
  'with the uv engine › kills at the timeout, and keeps what was written until then': FORKS,
  'children after them, with the engine uv': FORKS,
  'a user that one may not become, and all the rest as such a user, with the engine uv': FORKS,
  'many children leave memory, descriptors and process table as they were':
    'the sanitizer keeps freed memory aside, up to 256 MB',
  'PostgreSQL answers pg over a stream of ours': `postgres ${HANGS}`,
  'curl gets an answer': `curl ${HANGS}`,
  'curl posts a large body and gets it back': `curl ${HANGS}`,
  'curl uses one connection for two requests': `curl ${HANGS}`,
  'nginx passes requests to an http server on our path with mode 0660': `it asks by curl, which ${HANGS}`,
  'what they find is what they find with Node › zx': `zx runs ps, which ${HANGS}`,
};

// Jest puts a title together with spaces.
const fullName = (title) => title.replaceAll(' › ', ' ');
const escape = (text) => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');

function runJest(args, env, output) {
  const names = Object.keys(LEFT_OUT).map((title) => escape(fullName(title)));
  const pattern = `^(?!.*(${names.join('|')}))`;
  const jest = path.join(ROOT, 'node_modules/jest/bin/jest.js');
  const chosen = args.length > 0 ? args : SUITES;
  const all = [jest, '--testNamePattern', pattern, '--json', '--outputFile', output, ...chosen];
  // Standard output is the JSON, for which there is a file.
  return spawnSync(process.execPath, all, { cwd: ROOT, env, stdio: ['ignore', 'ignore', 'inherit'] }).status;
}

/** Titles above that no test has any more. */
function unknownTitles(output) {
  const { testResults } = JSON.parse(fs.readFileSync(output, 'utf8'));
  const skipped = testResults
    .flatMap(({ assertionResults }) => assertionResults)
    .filter(({ status }) => status === 'pending')
    .map(({ fullName: name }) => name);
  return Object.keys(LEFT_OUT).filter((title) => !skipped.some((name) => name.includes(fullName(title))));
}

function countAsFailed() {
  const counts = process.env.PIPEWRIGHT_TEST_COUNTS;
  if (counts) fs.appendFileSync(counts, '0 1\n');
}

function main(args) {
  build();
  const folder = makeReportsFolder();
  const reports = path.join(folder, 'reports');
  fs.mkdirSync(reports);
  fs.chmodSync(reports, 0o1777);
  const output = path.join(folder, 'results.json');
  const status = runJest(args, environment(reports), output);

  for (const [title, why] of Object.entries(LEFT_OUT)) console.log(`Left out: ${title}\n          (${why})`);
  const problems = readReports(reports).map((text) => `A sanitizer reports:\n${text}`);
  if (args.length === 0) {
    for (const title of unknownTitles(output)) problems.push(`No test has the title that is left out: ${title}`);
  }
  for (const problem of problems) {
    console.error(problem);
    countAsFailed();
  }
  process.exitCode = status === 0 && problems.length === 0 ? 0 : 1;
}

main(process.argv.slice(2));
