'use strict';

// Messages a second through an echo server over a Unix socket: node bench/echo [--rounds 9] [--seconds 1] [--only TEXT]

const { runBenchmark } = require('./lib/benchmark.js');
const { programPath } = require('./lib/c_programs.js');
const { measureUnderLoad } = require('./lib/loaded_servers.js');
const { readOptions } = require('./lib/options.js');

const options = readOptions({ rounds: 9, seconds: 1 });

const messages = { label: 'msg/s', format: 'rate', of: (sample) => sample.messagesPerSecond };
const bytes = { label: 'bytes/s', format: 'byteRate', of: (sample) => sample.bytesPerSecond };
const typicalLatency = { label: 'p50', format: 'microseconds', of: (sample) => sample.p50Microseconds };
const worstLatency = { label: 'p99', format: 'microseconds', of: (sample) => sample.p99Microseconds };

const rows = [
  { size: '64 B', connections: 50, inFlight: 1, figures: [messages, typicalLatency, worstLatency] },
  { size: '64 B', connections: 50, inFlight: 16, figures: [messages] },
  { size: '64 B', connections: 1, inFlight: 1, figures: [messages, typicalLatency, worstLatency] },
  { size: '64 KiB', connections: 4, inFlight: 2, figures: [bytes] },
  { size: '64 KiB', connections: 4, inFlight: 2, figures: [bytes], program: 'pipe.js', manner: ', piped' },
].map((row) => ({ ...row, name: `${row.size} x ${row.connections} x ${row.inFlight}${row.manner ?? ''}` }));

const byteCounts = { '64 B': 64, '64 KiB': 64 * 1024 };

function measureRow(columns, { size, connections, inFlight, program }, folder) {
  const load = (address, seconds) =>
    [programPath('load'), address, connections, byteCounts[size], inFlight, seconds].map(String);
  return measureUnderLoad(columns, folder, options, load, { program });
}

runBenchmark({ name: 'echo', options, rows, measureRow });
