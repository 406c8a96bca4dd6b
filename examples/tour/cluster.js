'use strict';

// Clusters of two processes and of two threads: what happens to clients when a worker is killed
// that has not answered them, and while all workers are replaced.

const assert = require('node:assert/strict');
const { once } = require('node:events');
const http = require('node:http');
const path = require('node:path');
const { text } = require('node:stream/consumers');
const { createCluster } = require('pipewright/cluster');

const { inTemporaryFolder } = require('./tools.js');

const WAITING = 50; // Clients while a worker does nothing.
const KEPT = 8; // Clients that keep their connection, while the workers are replaced.

module.exports = (say) =>
  inTemporaryFolder(async (folder) => {
    await tourOf('process', path.join(folder, 'processes.sock'), say);
    await tourOf('thread', path.join(folder, 'threads.sock'), say);
  });

async function tourOf(kind, socketPath, say) {
  const exec = path.join(__dirname, 'programs/cluster_worker.js');
  const cluster = createCluster({ exec, kind, workers: 2 });
  const workers = await started(cluster, 2);
  await once(cluster.listen({ path: socketPath }), 'listening');
  const names = workers.map(({ pid, threadId }) => threadId ?? pid).join(' and ');
  say(`two ${kind === 'process' ? 'processes' : 'threads'} serve, ${names}; this process accepts for them`);
  await killOne(cluster, workers, socketPath, say);
  await reload(cluster, socketPath, say);
  await cluster.close();
}

async function started(cluster, count) {
  const workers = [];
  while (workers.length < count) workers.push((await once(cluster, 'ready'))[0]);
  return workers.sort((a, b) => a.id - b.id);
}

// Resolves with the number of the worker that has answered.
async function ask(socketPath, agent) {
  const request = http.get({ socketPath, agent });
  const [response] = await once(request, 'response');
  return Number(await text(response));
}

async function killOne(cluster, [victim, other], socketPath, say) {
  const stalls = once(victim, 'message');
  victim.send('stall');
  await stalls;
  const clients = Array.from({ length: WAITING }, () => ask(socketPath, false));
  while (cluster.stats().accepted < WAITING) await new Promise(setImmediate);
  const exit = once(cluster, 'exit');
  const successor = once(cluster, 'ready');
  victim.kill();
  const [, , , moved] = await exit;
  const answers = await Promise.all(clients);
  assert.equal(moved, WAITING / 2);
  assert.equal(answers.includes(victim.id), false);
  assert.equal(answers.length, WAITING);
  const [{ id }] = await successor;
  say(`worker ${victim.id} was killed with the requests of ${moved} clients; all ${WAITING} were answered, none by it`);
  say(`worker ${id} has come in its place, beside worker ${other.id}`);
}

async function reload(cluster, socketPath, say) {
  const agent = new http.Agent({ keepAlive: true, maxSockets: KEPT });
  const answers = new Map(); // How many a worker gave.
  let isDone = false;
  const clients = Array.from({ length: KEPT }, async () => {
    while (!isDone) {
      const id = await ask(socketPath, agent);
      answers.set(id, (answers.get(id) ?? 0) + 1);
    }
  });
  const old = cluster.workers.map(({ id }) => id);
  while (answers.size < old.length) await new Promise(setImmediate);
  await cluster.reload();
  const young = cluster.workers.map(({ id }) => id).filter((id) => !old.includes(id));
  while (!young.every((id) => answers.has(id))) await new Promise(setImmediate);
  isDone = true;
  await Promise.all(clients); // Had one of them been refused or reset, this would throw.
  agent.destroy();
  const total = [...answers.values()].reduce((sum, count) => sum + count, 0);
  assert.equal(young.length, 2);
  say(`reload(): workers ${old.join(' and ')} were replaced by ${young.join(' and ')}; ${total} requests, no error`);
}
