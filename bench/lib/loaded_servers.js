'use strict';

// The measuring of bench/echo and bench/connect: one server a column stays up for a whole row, and in every round a
// client of its own puts it under load. While one column is under load, the servers of the others sleep.

const path = require('node:path');
const { runClient, startServer, stop, withOpenFiles } = require('./processes.js');
const { measureInRounds } = require('./rounds.js');

// Long enough for a JavaScript engine to have compiled what is hot.
const warmUpSeconds = 0.5;

// `loadCommand(address, seconds)` is the command line of the client; `program` a server in bench/servers; each may have
// `openFiles` descriptors.
async function measureUnderLoad(
  columns,
  folder,
  { rounds, seconds },
  loadCommand,
  { program = 'echo.js', openFiles = 1024 } = {},
) {
  const runLoad = (address, time) => runClient(withOpenFiles(openFiles, loadCommand(address, time)));
  const servers = await startServers(columns, folder, program, openFiles);
  for (const { address } of servers) await runLoad(address, warmUpSeconds);
  const samples = await measureInRounds(servers, rounds, ({ address }) => runLoad(address, seconds));
  for (const { server } of servers) await stop(server);
  return samples;
}

async function startServers(columns, folder, program, openFiles) {
  const servers = [];
  for (const { name, serverCommand } of columns) {
    const address = path.join(folder, `${name}.sock`);
    const command = withOpenFiles(openFiles, serverCommand(program, address));
    servers.push({ name, address, server: await startServer(command, address) });
  }
  return servers;
}

module.exports = { measureUnderLoad };
