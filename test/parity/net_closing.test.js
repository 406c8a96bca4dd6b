'use strict';

// In which order the two ends of a connection close, when both are in this process: the
// events of both in one transcript, and what else the loop does meanwhile.

const { once } = require('node:events');
const { expectParity } = require('../helpers/transcript');

const ROUNDS = 20;
const NAMES = ['end', 'finish', 'close'];

const SCENARIOS = {
  'the client ends': ({ client }) => client.end('x'),
  'the server ends': ({ accepted }) => accepted.end('x'),
  'both end': ({ client, accepted }) => {
    client.end('x');
    accepted.end('y');
  },
  'the client is destroyed': ({ client }) => client.destroy(),
  'the server answers with its end': ({ client, accepted }) => {
    accepted.once('data', () => accepted.end('y'));
    client.write('x');
  },
  'the server is destroyed once it has written': ({ client, accepted }) => {
    accepted.once('data', () => {
      accepted.write('y');
      accepted.destroySoon();
    });
    client.write('x');
  },
  'the client ends once it has heard the end': ({ client, accepted }) => {
    client.once('end', () => client.end('x'));
    accepted.end('y');
  },
};

async function round(net, scenario, target, { log, record, closing }) {
  const server = closing(net.createServer({ allowHalfOpen: true }));
  await once(server.listen(target), 'listening');
  const connection = once(server, 'connection');
  const client = closing(net.connect(target.path ?? server.address().port));
  if (client.connecting) await once(client, 'connect');
  const [accepted] = await connection;
  closing(accepted);
  accepted.once('end', () => accepted.end());
  for (const [side, socket] of Object.entries({ client, accepted })) {
    socket.resume();
    record(socket, NAMES, (event) => log(`${side} ${event}`));
  }
  const bothClosed = Promise.all([once(client, 'close'), once(accepted, 'close')]);
  scenario({ client, accepted });
  await bothClosed;
}

describe.each([
  ['a path', (socketPath, i) => ({ path: socketPath(`${i}`) })],
  ['TCP', () => ({ port: 0, host: '127.0.0.1' })],
])('over %s', (_, targetOf) => {
  test.each(Object.keys(SCENARIOS))('%s', async (name) => {
    await expectParity('net', async (net, tools) => {
      for (let i = 0; i < ROUNDS; i++) await round(net, SCENARIOS[name], targetOf(tools.socketPath, i), tools);
    });
  });
});
