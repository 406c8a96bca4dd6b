'use strict';

// How an echo server's rate and latencies grow with its connections, one message of 64 bytes in flight on each:
// node bench/growth [--rounds 3] [--seconds 1]

const { runBenchmark } = require('./lib/benchmark.js');
const { programPath } = require('./lib/c_programs.js');
const { measureUnderLoad } = require('./lib/loaded_servers.js');
const { readOptions } = require('./lib/options.js');

const options = readOptions({ rounds: 3, seconds: 1 });

const SIZE = 64;
const figures = [
  { label: 'msg/s', format: 'rate', of: (sample) => sample.messagesPerSecond },
  { label: 'p50', format: 'microseconds', of: (sample) => sample.p50Microseconds },
  { label: 'p99', format: 'microseconds', of: (sample) => sample.p99Microseconds },
  { label: 'p99.9', format: 'microseconds', of: (sample) => sample.p999Microseconds },
];
const rows = [1, 10, 100, 1000, 10_000].map((connections) => ({
  name: `${connections} connection${connections === 1 ? '' : 's'}`,
  connections,
  figures,
}));

function measureRow(columns, { connections }, folder) {
  const load = (address, seconds) => [programPath('load'), address, connections, SIZE, 1, seconds].map(String);
  return measureUnderLoad(columns, folder, options, load, { openFiles: connections + 200 });
}

runBenchmark({ name: 'growth', options, rows, measureRow });
