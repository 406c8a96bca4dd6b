#!/usr/bin/env node
'use strict';

// `npm run conformance -- --tests DIR`: runs files of Node's own test suite with
// node:net (and what else the package has) replaced by the package, and prints a
// table by file. scripts/conformance/README.md says how it works.

const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { execute } = require('./conformance/execute');
const { readLists } = require('./conformance/lists');
const { parseOptions } = require('./conformance/options');
const { checkReplacements, findReplacements } = require('./conformance/replacements');
const { describe, printTables, reasonFor, writeDocs } = require('./conformance/report');

async function main() {
  const options = parseOptions(process.argv.slice(2));
  const hook = options.stock ? null : findReplacements(options.only);
  if (hook) checkReplacements(options.node, hook);
  const expected = readBaseline(options);

  const scratch = fs.mkdtempSync(path.join(fs.realpathSync(os.tmpdir()), 'cf-'));
  process.on('exit', () => fs.rmSync(scratch, { recursive: true, force: true, maxRetries: 3 }));
  const results = await runAll(chosenTests(options, expected), { options, hook, scratch });

  const report = describe(results, { options, hook });
  printTables(report);
  if (options.out) fs.writeFileSync(options.out, `${JSON.stringify(report, null, 1)}\n`);
  if (options.docs) writeDocs(report);
  process.exitCode = results.some((result) => isBad(result, options)) ? 1 : 0;
}

/** The results stock Node of this version has, or null: then every test is run. */
function readBaseline({ baseline, version }) {
  if (!baseline) return null;
  const file = path.join(__dirname, 'conformance/baseline', `node-${version.slice(1).split('.')[0]}.json`);
  if (!fs.existsSync(file)) {
    process.stderr.write(`There is no baseline for ${version}: running every test.\n`);
    return null;
  }
  return JSON.parse(fs.readFileSync(file, 'utf8')).tests;
}

/** @returns {{ test: string, lists: string[], status?: string }[]} a status when it is not to be run */
function chosenTests({ lists, filter, tests }, expected) {
  return readLists(lists)
    .filter(({ test }) => filter.test(test))
    .map((item) => {
      if (!fs.existsSync(path.join(tests, item.test))) return { ...item, status: 'absent' };
      if (expected && expected[item.test] !== 'pass') return { ...item, status: 'n/a' };
      return item;
    });
}

/** Some at a time; those of sequential/ alone, after the others. */
async function runAll(items, context) {
  const { jobs } = context.options;
  const toRun = items.filter(({ status }) => status === undefined);
  const isAlone = ({ test }) => test.startsWith('sequential/');
  const together = toRun.filter((item) => !isAlone(item));
  const results = items.filter(({ status }) => status !== undefined);
  const work = async (queue, slot) => {
    for (let item = queue.shift(); item !== undefined; item = queue.shift()) {
      const result = { ...item, ...(await runOften(item.test, slot, context)) };
      results.push(result);
      process.stderr.write(
        `[${results.length}/${items.length}] ${result.status.padEnd(7)} ${item.test} ${result.ms} ms\n`,
      );
    }
  };
  await Promise.all(Array.from({ length: jobs }, (_, slot) => work(together, slot)));
  await work(toRun.filter(isAlone), 0);
  return results.sort((a, b) => (a.test < b.test ? -1 : 1));
}

/** Again when it failed, if asked for; one that passes only then is flaky. */
async function runOften(test, slot, context) {
  const first = await runOnce(test, slot, context);
  if (first.status === 'pass' || first.status === 'skip') return first;
  for (let i = 0; i < context.options.retries; i++) {
    const again = await runOnce(test, slot, context);
    if (again.status === 'pass') return { ...first, status: 'flaky' };
  }
  return first;
}

async function runOnce(test, slot, { options, hook, scratch }) {
  const run = execute(test, {
    tests: options.tests,
    node: options.node,
    preloads: needsCompat(options.version) ? [path.join(__dirname, 'conformance/compat.js')] : [],
    timeout: options.timeout,
    scratch,
    // Out of the range the kernel picks from, and apart from another run's.
    port: 20_000 + (process.pid % 500) * 20 + slot * 10,
    hook,
  });
  process.on('exit', run.stop);
  try {
    return await run.done;
  } finally {
    process.off('exit', run.stop);
  }
}

/** See compat.js. */
function needsCompat(version) {
  const [major, minor] = version.slice(1).split('.').map(Number);
  return major < 22 || (major === 22 && minor < 9) || major >= 25;
}

function isBad(result, { stock }) {
  if (['pass', 'n/a'].includes(result.status) || (stock && result.status === 'skip')) return false;
  return stock || reasonFor(result.test) === undefined;
}

process.on('SIGINT', () => process.exit(130));
process.on('SIGTERM', () => process.exit(143));

main().catch((err) => {
  process.stderr.write(`${err.usage ? err.message : err.stack}\n`);
  process.exitCode = 2;
});
