'use strict';

// The measuring of bench/cluster and bench/cluster_http: one cluster a column stays up for a whole row, and in every
// round a client of its own puts it under load. What primary and workers have used meanwhile /proc tells.

const path = require('node:path');
const { descendants, processorMicroseconds, threadMicroseconds } = require('./process_status.js');
const { runClient, startServer, stop } = require('./processes.js');
const { measureInRounds } = require('./rounds.js');

const warmUpSeconds = 1; // Of one load: there are as many as it takes.

/**
 * `load(address, seconds)` is the command line of a client, and `countOf(report)` how many connections or requests it
 * had. A column is { name, isThreaded, command }, where `command(address, workers)` is that of its primary.
 */
async function measureClusters(columns, folder, { rounds, seconds, warmUp }, { workers, load, countOf }) {
  const clusters = [];
  for (const column of columns) {
    const address = path.join(folder, `${column.name.replaceAll(/[^a-z0-9]/gi, '-')}.sock`);
    const primary = await startServer(column.command(address, workers).map(String), address);
    clusters.push({ ...column, address, primary });
  }
  // By a count, and not by a time: the compilers of all workers are to have done their work.
  for (const { address } of clusters) {
    for (let done = 0; done < warmUp;) done += countOf(await runClient(load(address, warmUpSeconds)));
  }
  const samples = await measureInRounds(clusters, rounds, (cluster) => measureOne(cluster, seconds, load, countOf));
  for (const { primary } of clusters) await stop(primary);
  return samples;
}

async function measureOne(cluster, seconds, load, countOf) {
  const before = processorTimes(cluster);
  const report = await runClient(load(cluster.address, seconds));
  const after = processorTimes(cluster);
  const count = countOf(report);
  const [primary, workers] = after.map((time, index) => (time - before[index]) / count);
  return { ...report, primary, workers, all: primary + workers };
}

// Of the primary, and of all workers: if these are threads, the main thread is the primary.
function processorTimes({ isThreaded, primary: { pid } }) {
  const ofProcess = processorMicroseconds(pid);
  if (!isThreaded)
    return [
      ofProcess,
      descendants(pid)
        .map(processorMicroseconds)
        .reduce((sum, time) => sum + time, 0),
    ];
  const ofMain = threadMicroseconds(pid, pid);
  return [ofMain, ofProcess - ofMain];
}

module.exports = { measureClusters };
