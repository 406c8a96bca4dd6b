'use strict';

// The words and tables of docs/performance.md, and the table of README.md.

const { formats } = require('./figures.js');

const INTRODUCTIONS = {
  echo: 'An echo server, with so many bytes a message, on so many connections, with so many messages in flight on each. _Piped_: the server does not look at the bytes: `pipe()`, and here `pump()`.',
  growth: 'The same with messages of 64 bytes, one in flight on each connection.',
  connect: 'A client connects, writes a byte, reads it back and closes; 64 at a time.',
  memory: 'Resident bytes of a server for each connection that it holds.',
  spawn: 'A child is started by a parent of that size. _Loop blocked_: how long the call takes.',
  descriptors: 'Descriptors sent to another process.',
  messages: 'Messages to another process and back.',
  cluster: 'As _connect_, through a cluster.',
};

const line = (cells) => `| ${cells.join(' | ')} |`;
const columnNames = (figures) => [...new Set(figures.flatMap(({ columns }) => Object.keys(columns)))];
const ratio = (value) => (Number.isFinite(value) ? value.toFixed(2) : '');

function cell({ format, columns }, name) {
  return columns[name] === undefined ? '' : formats[format](columns[name].median).trim();
}

/** A table of one benchmark: medians, and pipewright divided by the others. */
function tableOf({ figures }) {
  const names = columnNames(figures);
  const others = names.filter((name) => figures.some(({ ratios }) => ratios[name] !== undefined));
  const head = ['', '', ...names, ...others.map((name) => `pipewright / ${name}`)];
  const rows = figures.map((figure) => [
    figure.row,
    figure.label,
    ...names.map((name) => cell(figure, name)),
    ...others.map((name) => ratio(figure.ratios[name])),
  ]);
  const rule = head.map((_, index) => (index < 2 ? '---' : '---:'));
  return [head, rule, ...rows].map(line).join('\n');
}

function sectionOf(benchmark, plots) {
  const { benchmark: name, absent } = benchmark;
  const pictures = plots
    .filter(({ of }) => of === name)
    .map((plot) => `![${plot.title}](performance/${plot.name}.svg)`);
  const absences = Object.entries(absent).map(([column, why]) => `Not measured: ${column} (${why}).`);
  return [`## ${name}`, INTRODUCTIONS[name] ?? '', ...pictures, tableOf(benchmark), ...absences].join('\n\n');
}

/** docs/performance.md */
function pageOf({ date, benchmarks }, plots) {
  const [{ node, kernel, cpus }] = benchmarks;
  const loads = benchmarks.map(({ loadAverage: [load] }) => load.toFixed(1)).join(', ');
  const overview = plots.find(({ of }) => of === null);
  return `${[
    '# Performance',
    `Made by \`npm run bench && npm run bench:report\` on ${date.slice(0, 10)}: Node ${node.slice(1)}, Linux ${kernel.split('-')[0]}, ${cpus} processors; load averages at the ends: ${loads}. ` +
      'Medians of a few rounds, in which all columns take turns: compare the ratios, each the median of the ratios of its rounds. [What is measured](../bench/README.md).',
    `![${overview.title}](performance/${overview.name}.svg)`,
    ...benchmarks.map((benchmark) => sectionOf(benchmark, plots)),
  ].join('\n\n')}\n`;
}

const README_ROWS = [
  ['spawn', 'spawn at 1024 MB', 'spawn at 1 GB: the loop is blocked for'],
  ['spawn', 'spawn at 50 MB', 'spawn at 50 MB: the same'],
  ['echo', '64 B x 50 x 1', 'echo of 64 B over 50 connections'],
  ['echo', '64 KiB x 4 x 2, piped', 'echo of 64 KiB, `pump()`'],
  ['connect', null, 'connect, one byte, close'],
  ['descriptors', 'one a message', 'descriptors passed, one a message'],
  ['memory', '10000 connections, never used', 'memory of an idle connection'],
];
const README_COLUMNS = ['node', 'pipewright', 'C', 'bun'];

/** The table of README.md: the first figure of some rows. */
function readmeTableOf({ benchmarks }) {
  const head = ['work, medians of one run', ...README_COLUMNS, 'pipewright / node'];
  const rows = README_ROWS.map(([name, row, text]) => {
    const { figures = [] } = benchmarks.find(({ benchmark }) => benchmark === name) ?? {};
    const figure = figures.find((each) => row === null || each.row === row);
    if (figure === undefined) return null;
    return [text, ...README_COLUMNS.map((column) => cell(figure, column)), ratio(figure.ratios.node)];
  });
  const rule = head.map((_, index) => (index === 0 ? '---' : '---:'));
  return [head, rule, ...rows.filter((row) => row !== null)].map(line).join('\n');
}

module.exports = { pageOf, readmeTableOf };
