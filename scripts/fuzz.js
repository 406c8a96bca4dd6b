'use strict';

// `npm run fuzz -- [--seed N] [--seconds S]`: batches of random operations on everything
// public, each in a process of its own (test/fuzz/batch.js) under the sanitizers, so that
// an abort, a hang, a report or something left over is that batch's. With `--batch N`
// one batch is done again, `--times` as often: threads and the kernel have a say in what
// happens, so the same numbers need not find it each time.

const { spawn } = require('node:child_process');
const { once } = require('node:events');
const fs = require('node:fs');
const path = require('node:path');
const { parseArgs } = require('node:util');
const { randomIntegers } = require('../test/helpers/random');
const { ROOT, build, environment, makeReportsFolder, readReports } = require('./sanitizers');

const BATCH_MS = 3000;
const DEADLINE_MS = 60_000;
const LAST_LINES = 60;

function readOptions() {
  const { values } = parseArgs({
    options: {
      seed: { type: 'string', default: String(Date.now() % 2 ** 31) },
      seconds: { type: 'string', default: '60' },
      batch: { type: 'string' },
      times: { type: 'string', default: '20' },
      'keep-going': { type: 'boolean', default: false },
    },
  });
  const number = (name) => {
    const value = Number(values[name]);
    if (!Number.isInteger(value) || value < 0) throw new Error(`--${name} must be a whole number: ${values[name]}`);
    return value;
  };
  return {
    seed: number('seed'),
    seconds: number('seconds'),
    batch: values.batch === undefined ? null : number('batch'),
    times: number('times'),
    keepGoing: values['keep-going'],
  };
}

/** @returns {Promise<string | null>} what was wrong with it */
async function runBatch(seed) {
  const folder = fs.mkdtempSync(path.join(scratch, 'batch-'));
  const logFile = path.join(folder, 'operations');
  const reports = path.join(folder, 'reports');
  fs.mkdirSync(reports);
  const log = fs.openSync(logFile, 'ax');
  const child = spawn(process.execPath, ['--expose-gc', 'test/fuzz/batch.js', String(seed), String(BATCH_MS)], {
    cwd: ROOT,
    env: { ...environment(reports), TMPDIR: folder, PIPEWRIGHT_FUZZ_LOG: '3' },
    stdio: ['ignore', 'pipe', 'pipe', log],
  });
  fs.closeSync(log);
  running = child;
  const output = [child.stdout, child.stderr].map(textOf);
  const timer = setTimeout(() => child.kill('SIGKILL'), BATCH_MS + DEADLINE_MS);
  const [code, signal] = await once(child, 'exit');
  clearTimeout(timer);
  running = null;
  const problem = describe({
    code,
    signal: signal === 'SIGKILL' ? 'SIGKILL: it did not end' : signal,
    reports: readReports(reports),
    text: (await Promise.all(output)).join(''),
    lines: fs.readFileSync(logFile, 'utf8').trimEnd().split('\n'),
  });
  fs.rmSync(folder, { recursive: true, force: true });
  return problem;
}

async function textOf(stream) {
  let text = '';
  for await (const chunk of stream.setEncoding('utf8')) text += chunk;
  return text;
}

function describe({ code, signal, reports, text, lines }) {
  if (code === 0 && reports.length === 0) return null;
  return [
    `It ended with ${signal ?? `status ${code}`}.`,
    ...reports,
    text,
    ...lines.filter((line) => line.includes('PROBLEM')),
    `The last of ${lines.length} operations, each with the number of its thread:`,
    ...lines.slice(-LAST_LINES),
  ].join('\n');
}

let running = null;
const scratch = makeReportsFolder();
process.on('exit', () => running?.kill('SIGKILL'));
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => process.exit(1));

function* batches({ seed, seconds, batch, times }) {
  if (batch !== null) {
    for (let time = 0; time < times; time++) yield batch;
    return;
  }
  const random = randomIntegers(seed);
  const deadline = Date.now() + seconds * 1000;
  while (Date.now() < deadline) yield random(2 ** 31);
}

async function main() {
  const options = readOptions();
  if (options.batch === null) console.log(`fuzz: --seed ${options.seed} --seconds ${options.seconds}`);
  build();
  const began = Date.now();
  let count = 0;
  for (const seed of batches(options)) {
    const problem = await runBatch(seed);
    count += 1;
    if (problem === null) continue;
    const seconds = Math.round((Date.now() - began) / 1000);
    console.error(`${problem}\nfuzz: found in batch ${count}, after ${seconds} s, with the seed ${options.seed}.`);
    console.error(`Again: npm run fuzz -- --batch ${seed}`);
    process.exitCode = 1;
    if (!options.keepGoing) return;
  }
  if (process.exitCode !== 1) console.log(`fuzz: ${count} batches, nothing found`);
}

main();
