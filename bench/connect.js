'use strict';

// Connections a second, each with one byte there and back: node bench/connect [--rounds 9] [--seconds 1]

const { runBenchmark } = require('./lib/benchmark.js');
const { programPath } = require('./lib/c_programs.js');
const { measureUnderLoad } = require('./lib/loaded_servers.js');
const { readOptions } = require('./lib/options.js');

// How many connections are open at a time; far fewer than the backlog of 511, so that none is refused.
const options = readOptions({ rounds: 9, seconds: 1, concurrent: 64 });

const rows = [
  {
    name: 'connect, 1 byte, close',
    figures: [{ label: 'conn/s', format: 'rate', of: (sample) => sample.connectionsPerSecond }],
  },
];

function measureRow(columns, row, folder) {
  return measureUnderLoad(columns, folder, options, (address, seconds) =>
    [programPath('connect_load'), address, options.concurrent, seconds].map(String),
  );
}

runBenchmark({ name: 'connect', options, rows, measureRow });
