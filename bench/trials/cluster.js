'use strict';
// The trial that decides on the cluster: connections a second and processor time a connection,
// in interleaved rounds. node bench/trials/cluster.js [rounds] [seconds] [workers] [concurrent]
const { mkdtempSync } = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { spawn, execFileSync } = require('node:child_process');
const { once } = require('node:events');
const { processorMicroseconds } = require('../lib/process_status.js');

const [rounds = 7, seconds = 1, workers = 2, concurrent = 64] = process.argv.slice(2).map(Number);
const folder = mkdtempSync(path.join(os.tmpdir(), 'trial-'));
const columns = {
  'node rr': ['node_cluster.js', 'rr'],
  'node shared': ['node_cluster.js', 'none'],
  sockets: ['cluster_primary.js', 'sockets'],
  handles: ['cluster_primary.js', 'handles'],
};
const load = path.join(__dirname, '../c/build/connect_load');
const WARM_UP = 20_000; // Connections.
const median = (list) => list.sort((a, b) => a - b)[list.length >> 1];

async function main() {
  const running = {};
  for (const [name, [file, mode]] of Object.entries(columns)) {
    const address = path.join(folder, `${mode}.sock`);
    const child = spawn(process.execPath, [path.join(__dirname, file), mode, address, String(workers)], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    process.on('exit', () => child.kill('SIGKILL'));
    const [line] = await once(child.stdout, 'data');
    running[name] = { address, child, pids: JSON.parse(line), rates: [], primary: [], perWorker: [] };
  }
  // Until the compilers of all columns have done their work, by a count and not by a time.
  for (const { address } of Object.values(running)) {
    for (let done = 0; done < WARM_UP;) {
      done += JSON.parse(execFileSync(load, [address, String(concurrent), '1'])).connections;
    }
  }
  const cpu = (pids) => pids.reduce((sum, pid) => sum + processorMicroseconds(pid), 0);
  for (let i = 0; i < rounds; i++) {
    for (const column of Object.values(running)) {
      const before = [cpu([column.child.pid]), cpu(column.pids)];
      const client = spawn(load, [column.address, String(concurrent), String(seconds)]);
      const [out] = await once(client.stdout, 'data');
      const { connections, connectionsPerSecond } = JSON.parse(out);
      column.rates.push(connectionsPerSecond);
      column.primary.push((cpu([column.child.pid]) - before[0]) / connections);
      column.perWorker.push((cpu(column.pids) - before[1]) / connections);
    }
  }
  const base = Object.fromEntries(Object.entries(running).map(([name, c]) => [name, median(c.rates)]));
  for (const [name, c] of Object.entries(running)) {
    const [rr, shared] = [base[name] / base['node rr'], base[name] / base['node shared']];
    console.log(
      `${name.padEnd(12)} ${base[name].toFixed(0).padStart(6)}/s  ${rr.toFixed(2)} rr  ${shared.toFixed(2)} shared  ` +
        `primary ${median(c.primary).toFixed(1)} us  workers ${median(c.perWorker).toFixed(1)} us`,
    );
  }
  process.exit(0);
}
main();
