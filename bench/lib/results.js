'use strict';

// Writes what was measured, with every single value, into bench/results.

const { mkdirSync, writeFileSync } = require('node:fs');
const os = require('node:os');
const path = require('node:path');

const resultFolder = path.join(__dirname, '../results');

function writeResults(benchmark, options, columns, figures) {
  const date = new Date().toISOString();
  const results = {
    benchmark,
    date,
    node: process.version,
    kernel: os.release(),
    cpus: os.availableParallelism(),
    loadAverage: os.loadavg(),
    options,
    absent: Object.fromEntries(columns.filter(({ absent }) => absent).map(({ name, absent }) => [name, absent])),
    figures,
  };
  mkdirSync(resultFolder, { recursive: true });
  const file = options.output ?? path.join(resultFolder, `${benchmark}-${date.replaceAll(':', '-')}.json`);
  writeFileSync(file, `${JSON.stringify(results, null, 2)}\n`);
  console.log(`written: ${path.relative(process.cwd(), file)}`);
}

module.exports = { writeResults };
