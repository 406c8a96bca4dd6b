'use strict';

// What all benchmarks but bench/descriptors have in common: rows of columns, measured, printed and written.

const { mkdtempSync, rmSync } = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { listColumns: listServerColumns } = require('./columns.js');
const { makeFigure } = require('./figures.js');
const { chooseRows } = require('./options.js');
const { beginRow } = require('./progress.js');
const { writeResults } = require('./results.js');
const { printComparisons, printTable } = require('./table.js');

// A row is { name, figures }; `measureRow(columns, row, folder)` resolves with its samples for each column. The folder
// is for sockets. The columns are those of lib/columns.js, or what `listColumns` gives. `comparisons` adds a table of
// ratios, for a benchmark that has no column named pipewright.
function runBenchmark(benchmark) {
  measureAll(benchmark).catch((err) => {
    console.error(`bench/${benchmark.name}: ${err.message}`);
    // Exits rather than waits: servers of other columns may still be running, and end with this process.
    process.exit(1);
  });
}

async function measureAll({ name, options, rows, measureRow, listColumns = listServerColumns, comparisons = [] }) {
  const chosenRows = chooseRows(rows, options.only);
  const columns = listColumns(options.module);
  const present = columns.filter(({ absent }) => absent === null);
  const folder = makeTemporaryFolder();
  const figures = [];
  for (const row of chosenRows) {
    beginRow(`${name}, ${row.name}`);
    const samples = await measureRow(present, row, folder);
    figures.push(...row.figures.map((description) => makeFigure(row.name, description, samples)));
  }
  printTable(columns, figures);
  if (comparisons.length > 0) printComparisons(figures, comparisons);
  writeResults(name, options, columns, figures);
}

// Removed at the exit, however the benchmark ends.
function makeTemporaryFolder() {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'pipewright-bench-'));
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

module.exports = { runBenchmark };
