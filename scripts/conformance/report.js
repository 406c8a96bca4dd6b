'use strict';

// What came out: tables on the terminal, and a part of docs/conformance.md.

const fs = require('node:fs');
const path = require('node:path');

const DOCS = path.join(__dirname, '../../docs/conformance.md');
const REASONS = path.join(__dirname, 'reasons.json');
const NOT_OURS = "fails for Node's internals";
const STATUSES = ['pass', 'fail', 'timeout', 'crash', 'flaky', 'skip', 'n/a', 'absent'];

/** Everything about one run, as --out writes it. */
function describe(results, { options, hook }) {
  return {
    node: options.version,
    user: process.getuid() === 0 ? 'root' : 'not root',
    replaced: hook ? Object.keys(hook.modules) : [],
    lists: summarise(results),
    results,
  };
}

/** @returns {object[]} one for each list: { list, ran, percent, and a count for each status } */
function summarise(results) {
  const names = [...new Set(results.flatMap(({ lists }) => lists))];
  return names.map((list) => {
    const members = results.filter(({ lists }) => lists.includes(list));
    const counts = Object.fromEntries(
      STATUSES.map((status) => [status, members.filter((result) => result.status === status).length]),
    );
    // A pass without the package is no credit to it.
    const unused = members.filter(({ status, asked }) => status === 'pass' && asked?.length === 0).length;
    const ran = members.length - counts['n/a'] - counts.absent;
    const [passed, possible] = [counts.pass - unused, ran - unused];
    const internals = members.filter((result) => isOpen(result) && isInternal(result)).length;
    const ofTheRest = percent(passed, possible - internals);
    return { list, ran, unused, ...counts, percent: percent(passed, possible), internals, ofTheRest };
  });
}

const isOpen = ({ status }) => status !== 'pass' && status !== 'n/a';
const isInternal = ({ test }) => readReasons().internals[test] !== undefined;

function percent(part, whole) {
  return whole === 0 ? '-' : `${((100 * part) / whole).toFixed(1)} %`;
}

function printTables({ node, replaced, lists, results }) {
  const files = results.map(({ test, status, why }) => [
    status,
    test,
    status === 'skip' ? why : (reasonFor(test) ?? ''),
  ]);
  const shown = ['unused', ...STATUSES].filter((status) => lists.some((list) => list[status] > 0));
  const sums = lists.map((list) => [
    ...[list.list, list.ran, ...shown.map((status) => list[status]), list.percent],
    ...[list.internals, list.ofTheRest],
  ]);
  process.stdout.write(`${aligned(files)}\n\n`);
  process.stdout.write(`Node ${node}, replaced: ${replaced.join(', ') || 'nothing'}\n`);
  process.stdout.write(`${aligned([['list', 'ran', ...shown, 'passed', 'internals', 'of the rest'], ...sums])}\n`);
}

function aligned(rows) {
  const widths = rows[0].map((_, column) => Math.max(...rows.map((row) => String(row[column]).length)));
  const line = (row) => row.map((cell, column) => String(cell).padEnd(widths[column])).join('  ');
  return rows.map((row) => line(row).trimEnd()).join('\n');
}

/**
 * By hand, in two kinds: `internals` of Node, which no package can pass; `documented`, a
 * difference that is meant.
 */
function readReasons() {
  return JSON.parse(fs.readFileSync(REASONS, 'utf8'));
}

/** @returns {string | undefined} why a test does not pass */
function reasonFor(test) {
  return Object.values(readReasons()).find((reasons) => reasons[test] !== undefined)?.[test];
}

/**
 * Replaces the part of docs/conformance.md that belongs to this major version of
 * Node and these modules, between two comments; or adds it at the end.
 */
function writeDocs(report) {
  const name = [report.node.split('.')[0], ...report.replaced].join(' ');
  const [begin, end] = [`<!-- ${name} begins -->`, `<!-- ${name} ends -->`];
  const part = `${begin}\n\n${markdown(report)}\n\n${end}`;
  const text = fs.existsSync(DOCS) ? fs.readFileSync(DOCS, 'utf8') : '# Conformance\n';
  const [before, rest] = text.split(begin);
  const after = rest?.split(end)[1];
  fs.mkdirSync(path.dirname(DOCS), { recursive: true });
  fs.writeFileSync(DOCS, after === undefined ? `${text.trimEnd()}\n\n${part}\n` : before + part + after);
}

/** Laid out as Prettier would. */
function markdown({ node, user, replaced, lists, results }) {
  const sums = lists.map((sum) => [
    ...[`\`${sum.list}\``, sum.ran, sum.unused, sum.pass, sum.percent],
    ...[sum.internals, sum.ofTheRest],
  ]);
  const open = results
    .filter(isOpen)
    .map(({ test, status }) => [`\`${test}\``, status, reasonFor(test) ?? '**not explained yet**']);
  return [
    `## Node ${node}: ${replaced.join(', ')}`,
    `Run as ${user}, with \`${replaced.join('`, `')}\` replaced.`,
    markdownTable(['list', 'run', 'without the package', 'passed', 'of those with it', NOT_OURS, 'of the rest'], sums),
    open.length === 0 ? 'Every file passes.' : markdownTable(['does not pass', 'how', 'why'], open),
  ].join('\n\n');
}

function markdownTable(head, rows) {
  const widths = head.map((_, column) => Math.max(3, ...[head, ...rows].map((row) => String(row[column]).length)));
  const line = (row) => `| ${row.map((cell, column) => String(cell).padEnd(widths[column])).join(' | ')} |`;
  return [line(head), line(widths.map((width) => '-'.repeat(width))), ...rows.map(line)].join('\n');
}

module.exports = { describe, printTables, reasonFor, writeDocs };
