'use strict';

// Node's http.Agent over our sockets. Node 22 and later write to the handle of a socket
// that waits for its next request, to learn what comes on it meanwhile.

const { once } = require('node:events');
const http = require('node:http');
const nodeNet = require('node:net');
const net = require('../../lib/net');
const { closing } = require('../helpers/closing');
const { readAll } = require('../helpers/net_pair');
const { socketPath } = require('../helpers/socket_path');

// An http server at a path, and an Agent that reaches it over the sockets of `module`.
async function agentOf(module) {
  const server = closing(http.createServer((req, res) => req.pipe(res)));
  const accepted = [];
  server.on('connection', (socket) => accepted.push(socket));
  const path = socketPath();
  await once(server.listen(path), 'listening');
  const agent = new http.Agent({ keepAlive: true });
  closing(() => agent.destroy());
  const made = [];
  agent.createConnection = () => {
    made.push(closing(module.connect(path)));
    return made.at(-1);
  };
  return { agent, accepted, made };
}

const freeSocketsOf = (agent) => Object.values(agent.freeSockets).flat();

async function request(agent, body) {
  const req = http.request({ method: 'POST', agent }).end(body);
  const [res] = await once(req, 'response');
  const text = await readAll(res);
  // The socket is free again a tick later.
  if (freeSocketsOf(agent).length === 0) await once(agent, 'free');
  return text;
}

const modules = [
  ['node:net', nodeNet],
  ['ours', net],
];

describe.each(modules)('with %s', (_, module) => {
  test('one connection carries request after request', async () => {
    const { agent, made } = await agentOf(module);
    for (const body of ['one', 'two'.repeat(300_000), 'three'])
      expect((await request(agent, body)) === body).toBe(true);
    expect(made).toHaveLength(1);
  });

  test('one that the server ends while it is idle is free no longer', async () => {
    const { agent, accepted, made } = await agentOf(module);
    await request(agent, 'one');
    const isClosed = once(made[0], 'close');
    accepted[0].end();
    expect(await isClosed).toEqual([false]);
    expect(freeSocketsOf(agent)).toEqual([]);
    expect(await request(agent, 'two')).toBe('two');
    expect(made).toHaveLength(2);
  });
});

// What happens to an idle socket that the server writes to, unasked.
async function outcomeOfUnaskedBytes(module) {
  const { agent, accepted, made } = await agentOf(module);
  await request(agent, 'one');
  const [socket] = made;
  const outcome = new Promise((resolve) => {
    socket.once('close', () => resolve('closed'));
    socket.once('readable', () => resolve('left to be read'));
  });
  accepted[0].write('HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nforged');
  return { outcome: await outcome, free: freeSocketsOf(agent).length };
}

test('bytes that nobody asked for do to an idle socket what they do to one of node:net', async () => {
  expect(await outcomeOfUnaskedBytes(net)).toEqual(await outcomeOfUnaskedBytes(nodeNet));
});

describe("what others write to a handle's onread", () => {
  test('is shown to them, and does not reach the reading of a socket', async () => {
    const { agent, made } = await agentOf(net);
    await request(agent, 'one');
    const handle = made[0]._handle;
    const guard = () => {
      throw new Error('called');
    };
    const before = handle.onread;
    handle.onread = guard;
    expect(handle.onread).toBe(guard);
    handle.onread = before;
    expect(handle.onread).toBe(before);
    expect(await request(agent, 'two')).toBe('two');
  });
});
