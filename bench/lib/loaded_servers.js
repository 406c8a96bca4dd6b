'use strict';

// The measuring of bench/echo and bench/connect: one server a column stays up for a whole row, and in every round a
// client of its own puts it under load. While one column is under load, the servers of the others sleep.

const path = require('node:path');
const { runClient, startServer, stop } = require('./processes.js');
const { measureInRounds } = require('./rounds.js');

// Long enough for a JavaScript engine to have compiled what is hot.
const warmUpSeconds = 0.5;

// `loadCommand(address, seconds)` is the command line of the client.
async function measureUnderLoad(columns, folder, { rounds, seconds }, loadCommand) {
  const servers = await startServers(columns, folder);
  for (const { address } of servers) await runClient(loadCommand(address, warmUpSeconds));
  const samples = await measureInRounds(servers, rounds, ({ address }) => runClient(loadCommand(address, seconds)));
  for (const { server } of servers) await stop(server);
  return samples;
}

async function startServers(columns, folder) {
  const servers = [];
  for (const { name, serverCommand } of columns) {
    const address = path.join(folder, `${name}.sock`);
    servers.push({ name, address, server: await startServer(serverCommand('echo.js', address), address) });
  }
  return servers;
}

module.exports = { measureUnderLoad };
