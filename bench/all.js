'use strict';

// `npm run bench`: all benchmarks, with as few rounds as their medians bear, into bench/results/latest.json. Takes about
// ten minutes. `npm run bench:report` makes docs/performance.md of that file.

const { spawnSync } = require('node:child_process');
const { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } = require('node:fs');
const os = require('node:os');
const path = require('node:path');

const LATEST = path.join(__dirname, 'results/latest.json');

/** Each program with its arguments. */
const PROGRAMS = [
  ['echo', '--rounds', '5', '--seconds', '0.7'],
  ['growth', '--rounds', '3', '--seconds', '0.7'],
  ['connect', '--rounds', '5', '--seconds', '0.7'],
  ['memory', '--rounds', '2'],
  // Larger parents take minutes: node bench/spawn.
  ['spawn', '--rounds', '3', '--count', '20', '--only', ' 50 MB', '--only', '1024', '--only', 'at once'],
  ['descriptors', '--rounds', '3', '--count', '100000'],
  ['messages', '--rounds', '2', '--seconds', '0.5'],
  ['cluster', '--rounds', '3', '--seconds', '0.7', '--warmUp', '3000'],
];

function run([name, ...args], folder) {
  const output = path.join(folder, `${name}.json`);
  console.log(`\n${name}`);
  const { status, signal } = spawnSync(process.execPath, [path.join(__dirname, name), ...args, '--output', output], {
    stdio: 'inherit',
  });
  if (status !== 0) throw new Error(`bench/${name} ended with ${signal ?? status}`);
  return JSON.parse(readFileSync(output, 'utf8'));
}

function main() {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'pipewright-bench-all-'));
  try {
    const began = Date.now();
    const benchmarks = [];
    for (const program of PROGRAMS) {
      try {
        benchmarks.push(run(program, folder));
      } catch (error) {
        process.exitCode = 1; // What the others have measured is kept.
        console.error(error.message);
      }
    }
    mkdirSync(path.dirname(LATEST), { recursive: true });
    writeFileSync(LATEST, `${JSON.stringify({ date: new Date().toISOString(), benchmarks }, null, 2)}\n`);
    const seconds = Math.round((Date.now() - began) / 1000);
    console.log(`\nwritten: ${path.relative(process.cwd(), LATEST)}, after ${seconds} s`);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

main();
