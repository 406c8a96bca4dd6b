'use strict';

// The end of a connection of which another process has the descriptor, too.

const { once } = require('node:events');
const net = require('../../lib/net');
const { DescriptorPasser } = require('../../lib/descriptors');
const { spawn } = require('../../lib/child_process');
const { closing } = require('../helpers/closing');
const { connectedPair } = require('../helpers/net_pair');

// Both ends are done, and the close of the one that is here would not tell the client.
async function ends(client) {
  client.resume().end();
  await once(client, 'end');
}

test('reaches the client though a receiver has it', async () => {
  const { accepted, client } = await connectedPair(net);
  const [sender, receiver] = DescriptorPasser.pair();
  for (const each of [sender, receiver]) closing(() => each.close());
  const received = receiver.receive();
  await sender.send(accepted, { keep: true });
  closing(await received);
  accepted.resume();
  await ends(client);
});

test('reaches the client though a child has its number', async () => {
  const { accepted, client } = await connectedPair(net);
  closing(spawn('sleep', ['60'], { stdio: ['ignore', 'ignore', 'ignore', accepted._handle.fd] }));
  accepted.resume();
  await ends(client);
});
