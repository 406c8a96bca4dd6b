'use strict';

// Prints figures as tables of plain text.

const { formats } = require('./figures.js');
const { medianRatio } = require('./statistics.js');

function printTable(columns, figures) {
  // What pipewright was not compared with has no column.
  const others = ['node', 'C', 'bun'].filter((name) => figures.some(({ ratios }) => ratios[name] !== undefined));
  const header = ['', '', ...columns.map(({ name }) => name), ...others.map((name) => `pw/${name}`)];
  printLines([header, ...figures.map((figure) => lineOf(columns, figure, others))], 2);
  printAbsences(columns);
}

function lineOf(columns, figure, others) {
  const cells = columns.map((column) => cellOf(figure, column));
  const ratios = others.map((name) => formatRatio(figure.ratios[name]));
  return [figure.row, figure.label, ...cells, ...ratios];
}

function cellOf(figure, { name, absent }) {
  const summary = figure.columns[name];
  if (summary === undefined) return absent ? 'absent' : '-';
  return formats[figure.format](summary.median).trim();
}

// Each comparison is two names of columns: the first is divided by the second, in each round.
function printComparisons(figures, comparisons) {
  console.log();
  const header = ['', ...figures.map(({ row, label }) => `${row}, ${label}`)];
  const lines = comparisons.map((pair) => [pair.join(' / '), ...figures.map((figure) => compare(figure, pair))]);
  printLines([header, ...lines], 1);
}

function compare({ columns }, pair) {
  const [values, others] = pair.map((name) => columns[name]?.values);
  return formatRatio(values && others && medianRatio(values, others));
}

function formatRatio(ratio) {
  return Number.isFinite(ratio) ? ratio.toFixed(2) : '-';
}

// The first `titles` columns are aligned left.
function printLines(lines, titles) {
  const widths = lines[0].map((_, index) => Math.max(...lines.map((line) => line[index].length)));
  for (const line of lines) console.log(alignLine(line, widths, titles));
}

function alignLine(line, widths, titles) {
  return line
    .map((cell, index) => (index < titles ? cell.padEnd(widths[index]) : cell.padStart(widths[index])))
    .join('  ')
    .trimEnd();
}

function printAbsences(columns) {
  for (const { name, absent, absentFrom = {} } of columns) {
    if (absent) console.log(`absent: ${name} (${absent})`);
    else for (const [row, reason] of Object.entries(absentFrom)) console.log(`absent: ${name}, ${row} (${reason})`);
  }
}

module.exports = { printComparisons, printTable };
