'use strict';

// `pipewright status`: a table of a cluster's workers, from its status page. At a terminal it is
// kept up to date; elsewhere it is printed once.

const http = require('node:http');

const { FAILED, WRONG_USAGE, addressText, toAddress } = require('./values.js');

const INTERVAL = 1000; // Milliseconds.
const PATIENCE = 5000; // For an answer.
const ESC = '\x1b[';
const [HOME, CLEAR_LINE, CLEAR_BELOW] = [`${ESC}H`, `${ESC}K`, `${ESC}J`];
// Another screen without a cursor, so that what was there is there again afterwards.
const [ENTER, LEAVE] = [`${ESC}?1049h${ESC}?25l`, `${ESC}?25h${ESC}?1049l`];

/** @type {[string, (worker: any, stats: any) => any][]} */
const COLUMNS = [
  ['ID', ({ id }) => id],
  ['PID', ({ pid }) => pid ?? '-'],
  ['STATE', ({ state }) => state],
  ['ACTIVE', ({ active }) => active],
  ['ASSIGNED', ({ assigned }) => assigned],
  ['UNACKNOWLEDGED', ({ unacknowledged }) => unacknowledged],
  ['RESTARTS', ({ restarts }) => restarts],
  ['UPTIME', ({ startedAt }, { now }) => duration(now - startedAt)],
];

/** @param {{ where: string, options: { json?: boolean, once?: boolean }, command: any }} given */
async function runStatus({ where, options, command }) {
  const address = toAddress(where);
  if (address === undefined) command.error('error: the status is at a path or a port', { exitCode: WRONG_USAGE });
  if (process.stdout.isTTY && !options.json && !options.once) {
    new LiveTable(address, where).start();
    return;
  }
  try {
    const text = await fetchStats(address);
    const table = `${linesOf(JSON.parse(text)).join('\n')}\n`;
    process.stdout.write(options.json ? text : table);
  } catch (error) {
    process.stderr.write(`pipewright: ${problemOf(where, error)}\n`);
    process.exitCode = FAILED;
  }
}

const problemOf = (where, error) => `no status at ${where}: ${error.code ?? 'another server answers'}`;

/** @returns {Promise<string>} what the page at the address says; '' if there is another server */
function fetchStats(address) {
  const target = 'path' in address ? { socketPath: address.path } : { host: '127.0.0.1', ...address };
  const options = { ...target, path: '/stats.json', agent: false, signal: AbortSignal.timeout(PATIENCE) };
  return new Promise((resolve, reject) => {
    const request = http.get(options, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (chunk) => (text += chunk));
      response.on('error', reject);
      response.on('end', () => {
        resolve(response.statusCode === 200 ? text : '');
      });
    });
    request.on('error', reject);
  });
}

// What is shown.

/** @returns {string[]} */
function linesOf(stats, rate = undefined) {
  const { pid, now, startedAt, schedule, addresses, accepted, pending, moved, restarts, workers } = stats;
  const where = addresses.map(addressText).join(', ') || 'listens nowhere';
  const speed = rate === undefined ? '' : ` (${Math.round(rate)}/s)`;
  return [
    `process ${pid}, up ${duration(now - startedAt)}, ${schedule}, ${where}`,
    `accepted ${accepted}${speed}, waiting ${pending}, moved ${moved}, restarts ${restarts}`,
    '',
    ...tableOf(workers.map((worker) => COLUMNS.map(([, textOf]) => String(textOf(worker, stats))))),
  ].map(withoutControls);
}

// What another user's program answers is not to steer the terminal.
const withoutControls = (line) => line.replace(/\p{Cc}/gu, '?');

function tableOf(rows) {
  const table = [COLUMNS.map(([title]) => title), ...rows];
  const widths = COLUMNS.map((_, column) => Math.max(...table.map((row) => row[column].length)));
  return table.map((row) => row.map((text, column) => text.padStart(widths[column])).join('  '));
}

function duration(milliseconds) {
  const seconds = Math.max(0, Math.floor(milliseconds / 1000));
  const [hours, minutes] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60];
  if (hours >= 24) return `${Math.floor(hours / 24)}d${hours % 24}h`;
  if (hours > 0) return `${hours}h${minutes}m`;
  return minutes > 0 ? `${minutes}m${seconds % 60}s` : `${seconds}s`;
}

class LiveTable {
  #address;
  #where;
  #before = null;

  constructor(address, where) {
    this.#address = address;
    this.#where = where;
  }

  start() {
    process.stdout.write(ENTER);
    process.on('exit', () => process.stdout.write(LEAVE));
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => process.exit());
    this.#update();
  }

  async #update() {
    let lines;
    try {
      const stats = JSON.parse(await fetchStats(this.#address));
      lines = linesOf(stats, this.#rate(stats));
      this.#before = stats;
    } catch (error) {
      lines = [problemOf(this.#where, error)];
    }
    this.#draw([...lines, '', 'Ctrl-C ends this.']);
    setTimeout(() => this.#update(), INTERVAL);
  }

  #rate({ accepted, now }) {
    const before = this.#before;
    return before === null || accepted < before.accepted
      ? undefined
      : ((accepted - before.accepted) * 1000) / Math.max(now - before.now, 1);
  }

  // What does not fit is cut: a line that wraps would move the others.
  #draw(lines) {
    const columns = process.stdout.columns || 80; // A terminal may not know its size.
    const rows = process.stdout.rows || 24;
    const shown = lines.slice(0, rows).map((line) => line.slice(0, columns) + CLEAR_LINE);
    process.stdout.write(HOME + shown.join('\r\n') + CLEAR_BELOW);
  }
}

module.exports = { runStatus };
