'use strict';

// Prints figures as a table of plain text.

const { formats } = require('./figures.js');

const ratioColumns = ['node', 'C', 'bun'];

function printTable(columns, figures) {
  const header = ['', '', ...columns.map(({ name }) => name), ...ratioColumns.map((name) => `pw/${name}`)];
  const lines = [header, ...figures.map((figure) => lineOf(columns, figure))];
  const widths = header.map((_, index) => Math.max(...lines.map((line) => line[index].length)));
  for (const line of lines) console.log(alignLine(line, widths));
  printAbsences(columns);
}

function lineOf(columns, figure) {
  const cells = columns.map(({ name }) => cellOf(figure, name));
  const ratios = ratioColumns.map((name) => figure.ratios[name]?.toFixed(2) ?? '-');
  return [figure.row, figure.label, ...cells, ...ratios];
}

function cellOf(figure, name) {
  const summary = figure.columns[name];
  return summary === undefined ? 'absent' : formats[figure.format](summary.median).trim();
}

function alignLine(line, widths) {
  return line
    .map((cell, index) => (index < 2 ? cell.padEnd(widths[index]) : cell.padStart(widths[index])))
    .join('  ')
    .trimEnd();
}

function printAbsences(columns) {
  for (const { name, absent } of columns) if (absent) console.log(`absent: ${name} (${absent})`);
}

module.exports = { printTable };
