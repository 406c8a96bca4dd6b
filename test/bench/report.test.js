'use strict';

// `npm run bench:report`: what it makes of measured figures.

const { execFileSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');
const { temporaryFolder } = require('../helpers/socket_path');

const REPORT = path.join(__dirname, '../../bench/report.js');

const summary = (median) => ({ median, least: median, most: median, values: [median] });

function figure(row, label, format, medians, ratios) {
  const columns = Object.fromEntries(Object.entries(medians).map(([name, median]) => [name, summary(median)]));
  return { row, label, format, columns, ratios };
}

const of = (benchmark, figures, absent = {}) => ({
  benchmark,
  node: 'v20.20.2',
  kernel: '6.1.0-x',
  cpus: 2,
  loadAverage: [1.5, 1, 1],
  absent,
  figures,
});

const MEASURED = {
  date: '2026-12-01T10:00:00.000Z',
  benchmarks: [
    of('echo', [figure('64 B x 50 x 1', 'msg/s', 'rate', { node: 100_000, pipewright: 210_000 }, { node: 2.125 })], {
      bun: 'not installed',
    }),
    of(
      'growth',
      [10, 1000].flatMap((count) => [
        figure(`${count} connections`, 'msg/s', 'rate', { node: 1000 * count, pipewright: 2000 * count }, { node: 2 }),
        figure(`${count} connections`, 'p99', 'microseconds', { node: 500, pipewright: 250 }, { node: 0.5 }),
      ]),
    ),
    of('spawn', [
      figure('spawn at 50 MB', 'loop blocked', 'microseconds', { node: 3000, pipewright: 400 }, { node: 0.13 }),
    ]),
  ],
};

test('tables of the medians and ratios, and a plot for each', () => {
  const folder = temporaryFolder();
  fs.mkdirSync(path.join(folder, 'docs'));
  const marks = ['<!-- table: npm run bench:report -->', '<!-- end of the table -->'];
  fs.writeFileSync(path.join(folder, 'README.md'), `before\n\n${marks[0]}\n\nold\n\n${marks[1]}\n\nafter\n`);
  fs.writeFileSync(path.join(folder, 'latest.json'), JSON.stringify(MEASURED));
  execFileSync(process.execPath, [REPORT, path.join(folder, 'latest.json'), folder]);

  const read = (name) => fs.readFileSync(path.join(folder, name), 'utf8');
  const words = (text) => text.replaceAll(/[ |]+/g, ' ');
  expect(words(read('docs/performance.md'))).toContain('64 B x 50 x 1 msg/s 100 k 210 k 2.13');
  expect(read('docs/performance.md')).toContain('Not measured: bun (not installed).');
  expect(words(read('README.md'))).toContain('echo of 64 B over 50 connections 100 k 210 k 2.13');
  expect(read('README.md')).toMatch(/^before[^]*after\n$/);
  expect(read('README.md')).not.toContain('old');
  const pictures = [...read('docs/performance.md').matchAll(/\((performance\/\w+\.svg)\)/g)].map(([, name]) => name);
  expect(pictures).toEqual(['ratios', 'rate', 'latency', 'spawn'].map((name) => `performance/${name}.svg`));
  for (const name of pictures) expect(read(`docs/${name}`)).toMatch(/^<svg [^]*pipewright|^<svg [^]*times better/);
});
