'use strict';

// The TCP options of Node's http, over sockets and servers of ours.

const { once } = require('node:events');
const http = require('node:http');

const net = require('../../lib/net');
const { closing } = require('../helpers/closing');

// An http server behind one of ours, and how its connection's options were set.
async function serve(httpOptions, netOptions) {
  const web = http.createServer(httpOptions, (request, response) => response.end());
  const calls = [];
  const server = net.createServer(netOptions, (socket) => {
    for (const name of ['setNoDelay', 'setKeepAlive']) {
      const { [name]: set } = Object.getPrototypeOf(socket._handle);
      socket._handle[name] = function (...args) {
        calls.push([name, ...args, set.apply(this, args)]);
      };
    }
    web.emit('connection', closing(socket));
  });
  await once(closing(server).listen(0, '127.0.0.1'), 'listening');
  const request = http.get({ port: server.address().port, host: '127.0.0.1', agent: false });
  const [response] = await once(request, 'response');
  await once(response.resume(), 'end');
  return calls;
}

test('issue 9: a connection that an http server was given has the options of that server', async () => {
  const options = { noDelay: true, keepAlive: true, keepAliveInitialDelay: 5000 };
  expect(await serve(options, {})).toEqual([
    ['setNoDelay', true, 0],
    ['setKeepAlive', true, 5, 0],
  ]);
});

test('issue 9: noDelay is the default of an http server, and so of what it was given', async () => {
  expect(await serve({}, {})).toEqual([['setNoDelay', true, 0]]);
});

test('issue 9: the options of our own server stay', async () => {
  expect(await serve({ noDelay: false }, { noDelay: true, keepAlive: true })).toEqual([]);
});

test('issue 9: those of an Agent reach the sockets that it has us make', async () => {
  const server = closing(http.createServer((request, response) => response.end()));
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const agent = new http.Agent({ keepAlive: true, keepAliveMsecs: 3000 });
  closing(() => agent.destroy());
  let socket;
  agent.createConnection = (options) => (socket = closing(net.connect(options)));
  const request = http.get({ port: server.address().port, host: '127.0.0.1', agent });
  const set = {};
  for (const name of ['setNoDelay', 'setKeepAlive']) socket._handle[name] = (...args) => (set[name] = args);
  await once(request, 'response');
  request.destroy();
  expect(set).toEqual({ setNoDelay: [true], setKeepAlive: [true, 3] });
});
