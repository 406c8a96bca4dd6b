'use strict';

// Descriptors a second to another process, one a message and many: node bench/descriptors
// [--rounds 9] [--count 300000]. The column usocket needs `npm install --no-save usocket`.

const path = require('node:path');
const { buildClients, programPath } = require('./lib/c_programs.js');
const { makeFigure } = require('./lib/figures.js');
const { chooseRows, readOptions } = require('./lib/options.js');
const { runClient } = require('./lib/processes.js');
const { beginRow } = require('./lib/progress.js');
const { writeResults } = require('./lib/results.js');
const { measureInRounds } = require('./lib/rounds.js');
const { printTable } = require('./lib/table.js');

const options = readOptions({ rounds: 9, count: 300_000 });

const MOST = 253; // Descriptors of a message: SCM_MAX_FD.
// Of Node, which is slower by far, a round would take minutes.
const NODE_COUNT = 1000;

const rows = [
  { name: 'one a message', batch: 1, count: options.count },
  { name: `${MOST} a message`, batch: MOST, count: MOST * Math.ceil((4 * options.count) / MOST) },
].map((row) => ({ ...row, figures: [{ label: 'fd/s', format: 'rate', of: (sample) => sample.descriptorsPerSecond }] }));

const program = (name) => [process.execPath, path.join(__dirname, 'passing', `${name}.js`)];

function isInstalled(name) {
  try {
    require(name);
    return true;
  } catch {
    return false;
  }
}

const columns = [
  // It has no batches: the same figure stands in both rows.
  { name: 'node', absent: null, command: () => [...program('node'), NODE_COUNT] },
  {
    name: 'usocket',
    absent: isInstalled('usocket') ? null : 'npm install --no-save usocket',
    // More in a message than it makes room for it loses.
    command: ({ batch }) => [...program('usocket'), 20_000, Math.min(batch, 16)],
  },
  { name: 'pipewright', absent: null, command: ({ count, batch }) => [...program('pipewright'), count, batch] },
  { name: 'C', absent: null, command: ({ count, batch }) => [programPath('pass'), count, batch] },
];

async function main() {
  buildClients();
  const present = columns.filter(({ absent }) => absent === null);
  const figures = [];
  for (const row of chooseRows(rows, options.only)) {
    beginRow(`descriptors, ${row.name}`);
    const measure = ({ command }) => runClient(command(row).map(String));
    const samples = await measureInRounds(present, options.rounds, measure);
    figures.push(...row.figures.map((description) => makeFigure(row.name, description, samples)));
  }
  printTable(columns, figures);
  writeResults('descriptors', options, columns, figures);
}

main().catch((err) => {
  console.error(`bench/descriptors: ${err.message}`);
  process.exit(1);
});
