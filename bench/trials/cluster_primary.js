'use strict';
// The primary of the trial: node cluster_primary.js sockets|handles PATH WORKERS; prints its workers' pids.
const { spawn } = require('node:child_process');
const { once } = require('node:events');
const { socketpair } = require('../../lib/index.js');
const { ConnectionDispatcher, ConnectionSender, Listener } = require('../../lib/base/binding.js');

async function main([mode, path, workers]) {
  const dispatcher = new ConnectionDispatcher();
  dispatcher.open({
    schedule: 'round-robin',
    stickyBy: 'uid',
    maxUnacknowledged: 128,
    keepTime: 5000,
    firstBytesTimeout: 0,
    peekBytes: 0,
  });
  const pids = [];
  for (let i = 0; i < Number(workers); i++) {
    const [ours, theirs] = socketpair({ type: 'seqpacket' });
    const sender = new ConnectionSender();
    const err = sender.open(ours.take());
    if (err !== 0) throw new Error(`open ${err}`);
    const page = sender.createPage();
    const child = spawn(process.execPath, [`${__dirname}/cluster_worker.js`, mode], {
      stdio: ['ignore', 'pipe', 'inherit', theirs.fd, page],
    });
    await once(child.stdout, 'data');
    theirs.close();
    sender.reader = (status) => console.error('worker ended', status);
    dispatcher.addWorker(sender, i);
    pids.push(child.pid);
    if (process.env.STATS) setInterval(() => console.error(sender.getCounters(), dispatcher.getCounters()), 1000);
  }
  const listener = new Listener();
  const err = listener.listenOnPath({ path });
  if (err !== 0) throw new Error(`listen ${err}`);
  dispatcher.addListener(listener, 0, false);
  process.stdout.write(`${JSON.stringify(pids)}\n`);
}
main(process.argv.slice(2));
