'use strict';

// Passers between unrelated processes, which meet at a path: DescriptorPasser.listen(),
// accept() and connect().

const { once } = require('node:events');

const { plain } = require('../base/errors.js');
const net = require('../net/index.js');
const { toDescriptor } = require('../fd/sendable.js');
const { DescriptorPasser } = require('./passer.js');

// By server: clients not accepted yet, and accept() calls that wait for one.
const queues = new WeakMap();

/**
 * A server whose clients send descriptors; options as of server.listen(). Removes
 * nothing that is at the path unless it is a dead socket and `replaceStale` says so.
 *
 * @param {string | object} target
 * @returns {Promise<import('../net/server.js').Server>}
 */
async function listen(target) {
  const server = net.createServer({ descriptors: true, pauseOnConnect: true });
  const queue = { sockets: [], takers: [] };
  queues.set(server, queue);
  server.on('connection', (socket) => {
    const taker = queue.takers.shift();
    if (!server.listening) {
      socket.destroy();
      taker?.reject(plain('ERR_SERVER_NOT_RUNNING'));
    } else if (taker === undefined) {
      queue.sockets.push(socket);
    } else {
      taker.resolve(socket);
    }
  });
  // 'close' waits for the clients not accepted, so they are destroyed before it.
  const { close } = server;
  server.close = (callback) => {
    for (const socket of queue.sockets.splice(0)) socket.destroy();
    return close.call(server, callback);
  };
  server.on('close', () => {
    for (const { reject } of queue.takers.splice(0)) reject(plain('ERR_SERVER_NOT_RUNNING'));
  });
  const options = typeof target === 'string' ? { path: target } : target;
  server.listen({ backlog: 10, ...options });
  await once(/** @type {any} */ (server), 'listening');
  return server;
}

/** The next client of such a server, as a passer. */
async function accept(server, options) {
  const { sockets, takers } = queues.get(server);
  const socket = sockets.shift() ?? (await new Promise((resolve, reject) => takers.push({ resolve, reject })));
  return fromSocket(socket, options);
}

/** A passer to the server at a path. */
async function connect(path, options) {
  const socket = new net.Socket({ descriptors: true });
  socket.pause();
  socket.connect({ path });
  await once(/** @type {any} */ (socket), 'connect');
  return fromSocket(socket, options);
}

const fromSocket = (socket, options) => new DescriptorPasser({ ...options, socket: toDescriptor(socket) });

module.exports = { accept, connect, listen };
