'use strict';

// A server that a newer one replaces without refusing or resetting a client: started
// again with the same path, the new process gets the listening socket from the old one,
// which then ends when its last client has gone.
//
//   node examples/zero_downtime_restart.js server.sock &
//   node examples/zero_downtime_restart.js server.sock &

const { DescriptorPasser } = require('pipewright/descriptors');
const { createServer } = require('pipewright/net');

const file = process.argv[2] ?? 'server.sock';
const handover = `${file}.handover`;

const server = createServer((socket) => {
  socket.on('error', () => {});
  socket.on('data', (chunk) => socket.write(`${process.pid} ${chunk}`));
});

// The listening socket of the server that runs, if one does.
async function inherit() {
  try {
    const passer = await DescriptorPasser.connect(handover);
    const listener = await passer.receive();
    return { passer, listener };
  } catch (error) {
    if (['ENOENT', 'ECONNREFUSED', 'ERR_PASSER_ENDED'].includes(error.code)) return undefined;
    throw error;
  }
}

// The next one gets it, and from then on accepts beside us; once it says so by closing,
// this one accepts no more. A connection in the backlog is the new one's.
async function handOver() {
  const successors = await DescriptorPasser.listen({ path: handover, mode: 0o600, replaceStale: true });
  const successor = await DescriptorPasser.accept(successors);
  successors.close();
  await successor.send(server, { keep: true });
  await successor.receive().catch(() => {}); // It has begun.
  // What this one has accepted in this turn of the loop is served first.
  await new Promise(setImmediate);
  server.close(() => console.log(`${process.pid} has ended`));
  successor.close();
}

async function main() {
  const inherited = await inherit();
  const target = inherited ? { fd: inherited.listener.take() } : { path: file, replaceStale: true };
  await new Promise((resolve) => server.listen(target, resolve));
  console.log(`${process.pid} accepts`);
  // The old one has given up its place at the second path before it sent.
  const handedOver = handOver();
  inherited?.passer.close();
  await handedOver;
}

main();
