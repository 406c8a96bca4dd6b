'use strict';

// Connections a second through a cluster, each with one byte there and back, with 1, 2 and 4 workers, and the processor
// time of primary and workers: node bench/cluster [--rounds 9] [--seconds 1] [--concurrent 64] [--only '2 workers']

const { runBenchmark } = require('./lib/benchmark.js');
const { buildClients, programPath } = require('./lib/c_programs.js');
const { MODULE, othersColumns, ownColumn, processorFigures } = require('./lib/cluster_columns.js');
const { measureClusters } = require('./lib/loaded_clusters.js');
const { readOptions } = require('./lib/options.js');

const options = readOptions({ rounds: 9, seconds: 1, concurrent: 64, warmUp: 20_000 }, { module: MODULE });

const rows = [1, 2, 4].map((workers) => ({
  name: `${workers} worker${workers === 1 ? '' : 's'}`,
  workers,
  figures: [
    { label: 'conn/s', format: 'rate', of: ({ connectionsPerSecond }) => connectionsPerSecond },
    ...processorFigures('conn'),
  ],
}));

function listColumns(module) {
  buildClients();
  return [
    ...othersColumns('echo'),
    ownColumn('sockets', module, { service: 'sockets' }),
    ownColumn('serve()', module, { service: 'echo' }),
    ownColumn('sockets, threads', module, { service: 'sockets', kind: 'thread' }),
    ownColumn('serve(), threads', module, { service: 'echo', kind: 'thread' }),
    ownColumn('serve(), shared', module, { service: 'echo', schedule: 'shared' }),
    { name: 'C', absent: null, command: (address, workers) => [programPath('multi_echo_server'), address, workers] },
  ];
}

// What the targets compare, and the floor.
const comparisons = [
  ['sockets', 'node rr'],
  ['sockets', 'node shared'],
  ['serve()', 'node rr'],
  ['serve()', 'node shared'],
  ['serve(), shared', 'node shared'],
  ['sockets, threads', 'node shared'],
  ['sockets', 'C'],
];

function measureRow(columns, { workers }, folder) {
  return measureClusters(columns, folder, options, {
    workers,
    load: (address, seconds) => [programPath('connect_load'), address, options.concurrent, seconds].map(String),
    countOf: ({ connections }) => connections,
  });
}

runBenchmark({ name: 'cluster', options, rows, listColumns, measureRow, comparisons });
