'use strict';

// What it costs to start a child, at several sizes of the parent: node bench/spawn [--rounds 5] [--count 30]

const { existsSync } = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { spawnSync } = require('node:child_process');
const { runBenchmark } = require('./lib/benchmark.js');
const { findBun } = require('./lib/columns.js');
const { buildClients, programPath } = require('./lib/c_programs.js');
const { readOptions } = require('./lib/options.js');
const { runClient } = require('./lib/processes.js');
const { measureInRounds } = require('./lib/rounds.js');

const options = readOptions({ rounds: 5, count: 30 }, { module: '../../lib/child_process/index.js' });
const folder = path.join(__dirname, 'spawners');

const blocked = { label: 'loop blocked', format: 'microseconds', of: (sample) => sample.blocked };
const ended = { label: 'to its end', format: 'microseconds', of: (sample) => sample.ended };

// What each takes besides its own memory: half a gigabyte is left to others.
const MEGABYTE = 1 << 20;
const available = os.freemem() / MEGABYTE - 512;

const wanted = [50, 1024, 2048, 4096, 8192];
const sizes = wanted.filter((megabytes) => megabytes < available);
const leftOut = wanted.filter((megabytes) => !sizes.includes(megabytes));
if (leftOut.length > 0) console.log(`too large for the free memory: ${leftOut.join(', ')} MB`);
const rows = [
  ...sizes.map((megabytes) => ({
    name: `spawn at ${megabytes} MB`,
    kind: 'spawn',
    megabytes,
    figures: [blocked, ended],
  })),
  { name: 'spawnSync', kind: 'spawnSync', megabytes: 50, figures: [ended] },
  { name: 'exec, 1 MB of output', kind: 'exec', megabytes: 50, figures: [blocked, ended] },
  { name: '200 children at once', kind: 'burst', megabytes: 50, figures: [blocked, ended] },
];

// `command` are the words before KIND MEGABYTES COUNT.
function listColumns() {
  buildClients();
  const javascript = (executable, module, engine = '-') => [executable, path.join(folder, 'spawn.js'), module, engine];
  const node = process.execPath;
  const bun = findBun();
  const hasModule = existsSync(path.resolve(folder, options.module));
  const noModule = hasModule ? null : `${options.module} does not exist`;
  return [
    { name: 'node', absent: null, command: javascript(node, 'node:child_process') },
    { name: 'pipewright', absent: noModule, command: javascript(node, options.module, 'vfork') },
    { name: 'pipewright uv', absent: noModule, command: javascript(node, options.module, 'uv') },
    { name: 'binding', absent: null, command: javascript(node, './binding.js', 'vfork') },
    { name: 'C', absent: null, command: [programPath('spawn'), 'posix_spawn'] },
    { name: 'C vfork', absent: null, command: [programPath('spawn'), 'vfork'] },
    bun === null
      ? { name: 'bun', absent: 'no bun: set BUN or npm install --no-save bun' }
      : { name: 'bun', absent: null, command: javascript(bun, 'node:child_process') },
    spawnSync('python3', ['--version']).status !== 0
      ? { name: 'python', absent: 'no python3' }
      : { name: 'python', absent: null, command: ['python3', path.join(folder, 'spawn.py')] },
  ];
}

// A program of its own each time: several that hold 4 GB would not fit side by side.
function measureRow(columns, { kind, megabytes }) {
  const count = kind === 'burst' ? Math.ceil(options.count / 10) : options.count;
  return measureInRounds(columns, options.rounds, ({ command }) =>
    runClient([...command, kind, megabytes, count].map(String)),
  );
}

runBenchmark({ name: 'spawn', options, rows, listColumns, measureRow });
