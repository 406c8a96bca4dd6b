'use strict';

// `npm run bench:report`: makes docs/performance.md, its plots, and the table of README.md of what `npm run bench` has
// written: node bench/report [RESULTS [FOLDER]], where FOLDER has README.md and docs/.

const { mkdirSync, readFileSync, writeFileSync } = require('node:fs');
const path = require('node:path');
const prettier = require('prettier');
const { plots, toSvg } = require('./lib/plots.js');
const { pageOf, readmeTableOf } = require('./lib/report_text.js');

const ROOT = path.join(__dirname, '..');
const [results = path.join(__dirname, 'results/latest.json'), folder = ROOT] = process.argv.slice(2);
const MARKS = ['<!-- table: npm run bench:report -->', '<!-- end of the table -->'];

async function writeMarkdown(file, text) {
  const style = await prettier.resolveConfig(path.join(ROOT, 'README.md'));
  writeFileSync(file, await prettier.format(text, { ...style, parser: 'markdown' }));
}

// Puts a text between two marks of a file.
function replaceBetween(file, [begin, end], text) {
  const before = readFileSync(file, 'utf8');
  const [from, to] = [before.indexOf(begin), before.indexOf(end)];
  if (from < 0 || to < from) throw new Error(`${file} lacks the marks ${begin} and ${end}`);
  return writeMarkdown(file, `${before.slice(0, from + begin.length)}\n\n${text}\n\n${before.slice(to)}`);
}

async function main() {
  const measured = JSON.parse(readFileSync(results, 'utf8'));
  const pictures = path.join(folder, 'docs/performance');
  mkdirSync(pictures, { recursive: true });
  const made = plots(measured);
  for (const { name, spec } of made) writeFileSync(path.join(pictures, `${name}.svg`), `${await toSvg(spec)}\n`);
  await writeMarkdown(path.join(folder, 'docs/performance.md'), pageOf(measured, made));
  await replaceBetween(path.join(folder, 'README.md'), MARKS, readmeTableOf(measured));
}

main().catch((err) => {
  console.error(`bench/report: ${err.message}`);
  process.exit(1);
});
