'use strict';

// Resident bytes of one idle connection in a server: node bench/memory [--rounds 3] [--connections 10000]

const path = require('node:path');
const { setTimeout: sleep } = require('node:timers/promises');
const { runBenchmark } = require('./lib/benchmark.js');
const { programPath } = require('./lib/c_programs.js');
const { readOptions } = require('./lib/options.js');
const { openFileCount, residentBytes } = require('./lib/process_status.js');
const { nextLine, startClient, startServer, stop, withOpenFiles } = require('./lib/processes.js');
const { measureInRounds } = require('./lib/rounds.js');

const options = readOptions({ rounds: 3, connections: 10000 });

const figures = [{ label: 'RSS/connection', format: 'bytes', of: (bytes) => bytes }];
const rows = [
  { name: 'idle, never used', exchanges: 0, figures },
  { name: 'idle after 1 byte', exchanges: 1, figures },
];

// Beside the connections a process has files of its own open.
const openFiles = options.connections + 200;

function measureRow(columns, { exchanges }, folder) {
  return measureInRounds(columns, options.rounds, (column) => measureColumn(column, exchanges, folder));
}

// Memory does not come back as it was, so every measurement has a server of its own.
async function measureColumn({ name, serverCommand }, exchanges, folder) {
  const address = path.join(folder, `${name}.sock`);
  const command = serverCommand('idle.js', address, ['--expose-gc']);
  const server = await startServer(withOpenFiles(openFiles, command), address);
  const collectGarbage = name === 'C' ? () => {} : () => collectGarbageIn(server);
  await collectGarbage();
  const bytesBefore = residentBytes(server.pid);
  const client = await holdConnections(server, address, exchanges);
  await collectGarbage();
  const bytes = residentBytes(server.pid) - bytesBefore;
  await stop(client);
  await stop(server);
  return bytes / options.connections;
}

async function collectGarbageIn(server) {
  server.kill('SIGUSR2');
  await nextLine(server);
}

// A connection counts from when the server has accepted it, which may be after connect() has returned.
async function holdConnections(server, address, exchanges) {
  const filesBefore = openFileCount(server.pid);
  const command = [programPath('hold'), address, options.connections, exchanges].map(String);
  const { client } = await startClient(withOpenFiles(openFiles, command));
  while (openFileCount(server.pid) < filesBefore + options.connections) await sleep(10);
  return client;
}

runBenchmark({ name: 'memory', options, rows, measureRow });
