'use strict';

// pipewright/net: the exports of node:net, over our own sockets and servers. Exports that
// concern only TCP are Node's own. So are those that only some versions of Node have; in the
// other versions they are undefined.

/** @type {any} Its declarations are those of the lowest version. */
const nodeNet = require('node:net');

const { normalizeArgs } = require('./options.js');
require('./conversions.js'); // Descriptor needs it: see lib/fd/descriptor.js.
const { pump } = require('./pump.js');
const { Server } = require('./server.js');
const { Socket } = require('./socket.js');

const {
  BlockList,
  BoundSocket,
  SocketAddress,
  _TransferredBoundSocket,
  _createServerHandle,
  _setSimultaneousAccepts,
  getDefaultAutoSelectFamily,
  getDefaultAutoSelectFamilyAttemptTimeout,
  isIP,
  isIPv4,
  isIPv6,
  setDefaultAutoSelectFamily,
  setDefaultAutoSelectFamilyAttemptTimeout,
} = nodeNet;

/** Connects to a path, or to a port of a host. @returns {Socket} */
function connect(...args) {
  const normalized = normalizeArgs(args);
  const [options] = normalized;
  const socket = new Socket(options);
  try {
    if (options.timeout) socket.setTimeout(options.timeout);
    return socket.connect(normalized);
  } catch (error) {
    // The caller never gets this socket: if its signal aborted it, 'error' would be uncaught.
    socket.destroy();
    throw error;
  }
}

/** Makes a server that does not listen yet. @returns {Server} */
function createServer(options, listener) {
  return new Server(options, listener);
}

// Identifiers only: Node finds no other exports when an ES module imports by name.
module.exports = {
  BlockList,
  BoundSocket,
  Server,
  Socket,
  SocketAddress,
  Stream: Socket,
  _TransferredBoundSocket,
  _createServerHandle,
  _normalizeArgs: normalizeArgs,
  _setSimultaneousAccepts,
  connect,
  createConnection: connect,
  createServer,
  getDefaultAutoSelectFamily,
  getDefaultAutoSelectFamilyAttemptTimeout,
  isIP,
  isIPv4,
  isIPv6,
  pump,
  setDefaultAutoSelectFamily,
  setDefaultAutoSelectFamilyAttemptTimeout,
};
