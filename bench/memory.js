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
// What a server allocates once weighs less the more connections there are.
const rows = [100, 1000, options.connections].flatMap((connections) => [
  { name: `${connections} connections, never used`, connections, exchanges: 0, figures },
  { name: `${connections} connections after 1 byte`, connections, exchanges: 1, figures },
]);

function measureRow(columns, row, folder) {
  return measureInRounds(columns, options.rounds, (column) => measureColumn(column, row, folder));
}

// Beside the connections a process has files of its own open.
const openFiles = ({ connections }) => connections + 200;

// Memory does not come back as it was, so every measurement has a server of its own.
async function measureColumn({ name, serverCommand }, row, folder) {
  const address = path.join(folder, `${name}.sock`);
  const command = serverCommand('idle.js', address, ['--expose-gc']);
  const server = await startServer(withOpenFiles(openFiles(row), command), address);
  const collectGarbage = name === 'C' ? () => {} : () => collectGarbageIn(server);
  await collectGarbage();
  const bytesBefore = residentBytes(server.pid);
  const client = await holdConnections(server, address, row);
  await collectGarbage();
  const bytes = residentBytes(server.pid) - bytesBefore;
  await stop(client);
  await stop(server);
  return bytes / row.connections;
}

async function collectGarbageIn(server) {
  server.kill('SIGUSR2');
  await nextLine(server);
}

// A connection counts from when the server has accepted it, which may be after connect() has returned.
async function holdConnections(server, address, row) {
  const filesBefore = openFileCount(server.pid);
  const { connections, exchanges } = row;
  const command = [programPath('hold'), address, connections, exchanges].map(String);
  const { client } = await startClient(withOpenFiles(openFiles(row), command));
  while (openFileCount(server.pid) < filesBefore + connections) await sleep(10);
  return client;
}

runBenchmark({ name: 'memory', options, rows, measureRow });
