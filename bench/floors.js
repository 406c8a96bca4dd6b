'use strict';

// `npm run bench:floors`: counts that noise cannot reach, held against bench/floors.json: the costs of one message of 64
// bytes and back, and of one connection with one byte and back. One client at a time, so that no count depends on how
// events happen to fall into one turn of the loop. Fails if one is over its limit. Takes ten seconds, and needs strace.

const { spawn, spawnSync } = require('node:child_process');
const { once } = require('node:events');
const { mkdtempSync, readFileSync, rmSync } = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { buildClients, programPath } = require('./lib/c_programs.js');
const { nextLine, runClient, startServer, stop } = require('./lib/processes.js');
const limits = require('./floors.json');

// No garbage is collected while it counts: a new space of this size holds what that allocates.
const NODE_FLAGS = ['--expose-gc', '--min-semi-space-size=128', '--max-semi-space-size=128'];
const MODULE = '../../lib/net/index.js';
const SECONDS = 0.5;

const LOADS = {
  Message: { command: (address) => ['load', address, 1, 64, 1, SECONDS], countOf: ({ messages }) => messages },
  Connection: {
    command: (address) => ['connect_load', address, 1, SECONDS],
    countOf: ({ connections }) => connections,
  },
};

async function runLoad({ command, countOf }, address) {
  const [program, ...args] = command(address).map(String);
  return countOf(await runClient([programPath(program), ...args]));
}

async function readCounts(server) {
  server.kill('SIGUSR2');
  return JSON.parse(await nextLine(server));
}

async function measureCalls(server, load, address) {
  await readCounts(server); // Collects what was before.
  const before = await readCounts(server);
  const count = await runLoad(load, address);
  const after = await readCounts(server);
  return Object.fromEntries(Object.entries(after).map(([name, value]) => [name, (value - before[name]) / count]));
}

async function measureSystemCalls(server, load, address, folder) {
  const output = path.join(folder, 'strace');
  const tracer = spawn('strace', ['-c', '-o', output, '-p', String(server.pid)], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const ended = once(tracer, 'exit');
  await once(tracer.stderr, 'data'); // "attached"
  const count = await runLoad(load, address);
  tracer.kill('SIGINT');
  await ended;
  return countCalls(readFileSync(output, 'utf8')) / count;
}

// The lines of strace's table: per cent, seconds, microseconds a call, calls, errors if any, name. How often a loop waits
// depends on how events fall into its turns.
function countCalls(table) {
  const lines = [...table.matchAll(/^ *[\d.]+ +[\d.]+ +\d+ +(\d+) +(?:\d+ +)?(\w+)$/gm)];
  const counted = lines.filter(([, , name]) => !['epoll_pwait', 'total'].includes(name));
  return counted.reduce((sum, [, calls]) => sum + Number(calls), 0);
}

async function measure(name, folder) {
  const address = path.join(folder, 's');
  const command = (program, flags) => [
    process.execPath,
    ...flags,
    path.join(__dirname, 'servers', program),
    MODULE,
    address,
  ];
  const load = LOADS[name];
  const counted = await startServer(command('counted.js', NODE_FLAGS), address);
  await runLoad(load, address); // Compiles.
  const { crossings, calls, heapBytes } = await measureCalls(counted, load, address);
  await stop(counted);
  const traced = await startServer(command('echo.js', []), address);
  const systemCalls = await measureSystemCalls(traced, load, address, folder);
  await stop(traced);
  return { systemCalls, crossings, nativeCalls: calls, heapBytes };
}

/** Prints each count beside its limit. @returns {number} how many are over it */
function compare(name, counts) {
  let over = 0;
  for (const [kind, value] of Object.entries(counts)) {
    const key = `${kind}A${name}`;
    const { limit } = limits[key];
    const isOver = !(value <= limit);
    if (isOver) over += 1;
    console.log(
      `${isOver ? 'OVER' : 'ok'.padEnd(4)}  ${key.padEnd(26)} ${value.toFixed(2).padStart(9)}   limit ${limit}`,
    );
  }
  return over;
}

async function main() {
  if (spawnSync('strace', ['-V']).status !== 0) throw new Error('strace is not installed');
  buildClients();
  const folder = mkdtempSync(path.join(os.tmpdir(), 'pipewright-floors-'));
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
  let over = 0;
  for (const name of Object.keys(LOADS)) over += compare(name, await measure(name, folder));
  if (over > 0) throw new Error(`${over} over the limits of bench/floors.json`);
}

main().catch((err) => {
  console.error(`bench/floors: ${err.message}`);
  process.exit(1);
});
