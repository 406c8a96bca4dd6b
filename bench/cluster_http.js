'use strict';

// Requests a second to the same http server under each cluster, over connections that are kept alive, by autocannon:
// node bench/cluster_http [--rounds 5] [--seconds 3] [--concurrent 64] [--only '2 workers']

const path = require('node:path');
const { runBenchmark } = require('./lib/benchmark.js');
const { MODULE, othersColumns, ownColumn, processorFigures } = require('./lib/cluster_columns.js');
const { measureClusters } = require('./lib/loaded_clusters.js');
const { readOptions } = require('./lib/options.js');

const options = readOptions({ rounds: 5, seconds: 3, concurrent: 64, warmUp: 20_000 }, { module: MODULE });

const rows = [1, 2, 4].map((workers) => ({
  name: `${workers} worker${workers === 1 ? '' : 's'}`,
  workers,
  figures: [
    { label: 'requests/s', format: 'rate', of: ({ perSecond }) => perSecond },
    { label: '99 % within', format: 'milliseconds', of: ({ latencyMilliseconds }) => latencyMilliseconds },
    ...processorFigures('request'),
  ],
}));

function listColumns(module) {
  return [
    ...othersColumns('http'),
    ownColumn('serve()', module, { service: 'http' }),
    ownColumn('serve(), threads', module, { service: 'http', kind: 'thread' }),
    ownColumn('serve(), shared', module, { service: 'http', schedule: 'shared' }),
  ];
}

const comparisons = [
  ['serve()', 'node rr'],
  ['serve()', 'node shared'],
  ['serve(), threads', 'node rr'],
];

function measureRow(columns, { workers }, folder) {
  const client = [process.execPath, path.join(__dirname, 'clusters/autocannon.js')];
  return measureClusters(columns, folder, options, {
    workers,
    load: (address, seconds) => [...client, address, options.concurrent, seconds].map(String),
    countOf: ({ count }) => count,
  });
}

runBenchmark({ name: 'cluster_http', options, rows, listColumns, measureRow, comparisons });
