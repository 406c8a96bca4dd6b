'use strict';

// Passers between unrelated processes, which connect by a path: DescriptorPasser.listen(),
// accept() and connect().

const { once } = require('node:events');

const { plain } = require('../base/errors.js');
const net = require('../net/index.js');
const { toDescriptor } = require('../fd/sendable.js');
const { DescriptorPasser } = require('./passer.js');

// Maps a server to the clients not accepted yet, and the accept() calls that wait for one.
const queues = new WeakMap();

/**
 * Starts a server whose clients send descriptors; options are those of server.listen(). A
 * file at the path is removed only if it is a dead socket and `replaceStale` is set.
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
  // 'close' would wait for the clients that were not accepted, so they are destroyed first.
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

/** Waits for the next client of such a server, and returns a passer for it. */
async function accept(server, options) {
  const { sockets, takers } = queues.get(server);
  const socket = sockets.shift() ?? (await new Promise((resolve, reject) => takers.push({ resolve, reject })));
  return fromSocket(socket, options);
}

/** Connects to the server at a path, and returns a passer. */
async function connect(path, options) {
  const socket = new net.Socket({ descriptors: true });
  socket.pause();
  socket.connect({ path });
  await once(/** @type {any} */ (socket), 'connect');
  return fromSocket(socket, options);
}

const fromSocket = (socket, options) => new DescriptorPasser({ ...options, socket: toDescriptor(socket) });

module.exports = { accept, connect, listen };
