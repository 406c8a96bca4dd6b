'use strict';

// Messages a second to another process that echoes them, of JSON and of a megabyte, one and many in flight:
// node bench/messages [--rounds 9] [--seconds 1] [--only TEXT]

const path = require('node:path');
const { runBenchmark } = require('./lib/benchmark.js');
const { buildClients, programPath } = require('./lib/c_programs.js');
const { readOptions } = require('./lib/options.js');
const { runClient } = require('./lib/processes.js');
const { measureInRounds } = require('./lib/rounds.js');

const options = readOptions({ rounds: 9, seconds: 1 }, { module: '../../lib/index.js' });
const folder = path.join(__dirname, 'messengers');

const MEGABYTE = 1 << 20;
const contents = {
  json: { title: 'JSON', size: 65 },
  megabyte: { title: '1 MB', size: MEGABYTE },
};

const messages = { label: 'msg/s', format: 'rate', of: (sample) => sample.messagesPerSecond };
const bytes = { label: 'bytes/s', format: 'byteRate', of: (sample) => sample.messagesPerSecond * MEGABYTE };
// Of both processes together.
const processorTime = { label: 'CPU a msg', format: 'microseconds', of: (sample) => sample.processorMicroseconds };

const rows = [
  { content: 'json', inFlight: 1, figures: [messages, processorTime] },
  { content: 'json', inFlight: 64, figures: [messages, processorTime] },
  { content: 'megabyte', inFlight: 1, figures: [bytes, processorTime] },
  { content: 'megabyte', inFlight: 64, figures: [bytes, processorTime] },
].map((row) => ({ ...row, name: `${contents[row.content].title} x ${row.inFlight}` }));

const NO_BUFFERS = 'JSON carries no buffers';

// Returns why the columns of what the module should export have to stay empty, or null.
function missing(name) {
  try {
    const loaded = require(path.resolve(folder, options.module));
    return name in loaded || name in loaded.child_process ? null : `${options.module} has no ${name}`;
  } catch (err) {
    return err.message.split('\n')[0];
  }
}

function listColumns() {
  buildClients();
  const javascript = (program, module, serialization) => ({
    absentFrom: serialization === 'json' ? { '1 MB': NO_BUFFERS } : {},
    command: ({ content, inFlight }) =>
      [process.execPath, path.join(folder, program), module, serialization, content, inFlight, options.seconds].map(
        String,
      ),
  });
  const node = (serialization) => ({ absent: null, ...javascript('fork.js', 'node:child_process', serialization) });
  const channel = (serialization) => ({
    absent: missing('Channel'),
    ...javascript('channel.js', options.module, serialization),
  });
  const fork = (serialization) => ({
    absent: missing('fork'),
    ...javascript('fork.js', options.module, serialization),
  });
  return [
    { name: 'node json', ...node('json') },
    { name: 'node advanced', ...node('advanced') },
    { name: 'MessagePort', absent: null, ...javascript('port.js', '-', 'advanced') },
    { name: 'channel json', ...channel('json') },
    { name: 'channel advanced', ...channel('advanced') },
    { name: 'channel raw', ...channel('raw') },
    { name: 'fork json', ...fork('json') },
    { name: 'fork advanced', ...fork('advanced') },
    {
      name: 'C',
      absent: null,
      absentFrom: {},
      command: ({ content, inFlight }) =>
        [programPath('messages'), contents[content].size, inFlight, options.seconds].map(String),
    },
  ];
}

// What the targets compare: the first column divided by the second.
const comparisons = [
  ['channel json', 'node json'],
  ['channel advanced', 'node advanced'],
  ['channel raw', 'node advanced'],
  ['channel raw', 'C'],
  ['fork json', 'node json'],
  ['fork advanced', 'node advanced'],
];

// A pair of processes of its own each time: what one column leaves behind in memory slows no other.
function measureRow(columns, row) {
  const able = columns.filter(({ absentFrom }) => absentFrom[contents[row.content].title] === undefined);
  return measureInRounds(able, options.rounds, ({ command }) => runClient(command(row)));
}

runBenchmark({ name: 'messages', options, rows, listColumns, measureRow, comparisons });
