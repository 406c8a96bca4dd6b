'use strict';

// Servers and clients as processes of their own. None of them outlives the benchmark.

const { spawn } = require('node:child_process');
const { once } = require('node:events');
const { rmSync } = require('node:fs');
const { createInterface } = require('node:readline');

const running = new Set();

process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.once(signal, () => process.exit(1));

function launch([file, ...args]) {
  const child = spawn(file, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  running.add(child);
  const exited = once(child, 'exit').finally(() => running.delete(child));
  // Whoever waits for the child sees the failure; nobody may be waiting yet.
  exited.catch(() => {});
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  return { name: [file, ...args].join(' '), pid: child.pid, kill: (signal) => child.kill(signal), lines, exited };
}

// A shell that raises its own limit and then becomes the program.
function withOpenFiles(count, command) {
  return ['sh', '-c', `ulimit -n ${count} && exec "$0" "$@"`, ...command];
}

async function nextLine(child) {
  const { done, value } = await child.lines.next();
  if (!done) return value;
  // Throws when the program could not even be started.
  const [code, signal] = await child.exited;
  throw new Error(`${child.name} ended with ${signal ?? code} and did not print what was expected`);
}

// Removes the socket of a server that was there before: one that is ended by a signal leaves its file behind.
async function startServer(command, address) {
  rmSync(address, { force: true });
  const server = launch(command);
  const line = await nextLine(server);
  if (line !== 'listening') throw new Error(`${server.name} printed ${JSON.stringify(line)} instead of 'listening'`);
  return server;
}

// Starts a client that prints a line of JSON and goes on.
async function startClient(command) {
  const client = launch(command);
  return { client, report: JSON.parse(await nextLine(client)) };
}

// Runs a client that prints a line of JSON and ends.
async function runClient(command) {
  const { client, report } = await startClient(command);
  const [code, signal] = await client.exited;
  if (code !== 0) throw new Error(`${client.name} ended with ${signal ?? code}`);
  return report;
}

async function stop(child) {
  child.kill('SIGTERM');
  await child.exited;
}

module.exports = { nextLine, runClient, startClient, startServer, stop, withOpenFiles };
