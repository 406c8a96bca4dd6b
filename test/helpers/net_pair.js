'use strict';

// A connected pair of sockets over a path, for tests and parity scenarios that are
// about what happens afterwards.

const { once } = require('node:events');
const { closing } = require('./closing');
const { socketPath } = require('./socket_path');

/** What a user can see of a socket; 'data' is left to the caller, since it starts the flow. */
const SOCKET_EVENTS = ['connect', 'ready', 'end', 'finish', 'drain', 'timeout', 'error', 'close'];

/**
 * @param {typeof import('node:net')} net Node's or ours
 * @param {{ path?: string, server?: object, client?: object }} [options] `server` for createServer(), `client` for connect()
 * @returns {Promise<{ server: any, accepted: any, client: any }>} once both ends are there
 */
async function connectedPair(
  net,
  { path = socketPath(), server: serverOptions = {}, client: clientOptions = {} } = {},
) {
  const server = closing(net.createServer(serverOptions));
  await once(server.listen(path), 'listening');
  const connection = once(server, 'connection');
  const client = closing(net.connect({ path, ...clientOptions }));
  if (client.connecting) await once(client, 'connect');
  const [accepted] = await connection;
  closing(accepted);
  return { server, accepted, client };
}

/** Resolves with the error (or undefined) once the stream has emitted 'close'; never rejects. To be asked early. */
function closed(stream) {
  return new Promise((resolve) => {
    let error;
    stream.on('error', (err) => (error ??= err));
    stream.once('close', () => resolve(error));
  });
}

/** @returns {Promise<string>} everything up to the end */
async function readAll(stream, encoding = 'utf8') {
  const chunks = [];
  stream.on('data', (chunk) => chunks.push(chunk));
  await once(stream, 'end');
  return Buffer.concat(chunks).toString(encoding);
}

module.exports = { SOCKET_EVENTS, closed, connectedPair, readAll };
