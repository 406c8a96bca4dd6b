'use strict';

// Channels between unrelated processes, by a path that both know: Channel.listen() and
// Channel.connect().

const { once } = require('node:events');

const { descriptorType } = require('../base/binding.js');
const { invalidFdType } = require('../base/errors.js');
const { validateFunction, validateInt32, validateString } = require('../base/validate.js');
const net = require('../net/index.js');
const { Channel } = require('./channel.js');
const { splitOptions, validateSignal } = require('./options.js');

/**
 * A server of pipewright/net that emits 'channel' (channel) for each peer. Its 'close' does
 * not wait for the channels.
 *
 * @param {string | object} target a path; or options of createServer(), server.listen() and Channel
 * @param {(channel: Channel) => void} [listener] for 'channel'
 * @returns {import('../net/server.js').Server}
 * @throws as createServer(), server.listen() and Channel
 */
function listen(target, listener) {
  const { channelOptions, rest } = splitOptions(target);
  if (rest.fd === undefined) validateString(rest.path, 'options.path');
  else checkListener(rest.fd);
  if (listener !== undefined) validateFunction(listener, 'listener');
  const server = net.createServer({ allowPeer: rest.allowPeer, descriptors: true, pauseOnConnect: true });
  if (listener !== undefined) server.on('channel', listener);
  server.on('connection', (socket) => {
    let channel;
    try {
      channel = new Channel(socket, channelOptions);
    } catch (error) {
      socket.destroy();
      server.emit('overload', error); // There is no descriptor left for it.
      return;
    }
    if (!server.emit('channel', channel)) channel.destroy();
  });
  return server.listen(rest);
}

// A number that is no open file is the server's to report.
function checkListener(fd) {
  validateInt32(fd, 'options.fd', 0);
  const type = descriptorType(fd);
  if (typeof type === 'string' && type !== 'unix-server') throw invalidFdType(type);
}

/**
 * A channel to the server at a path.
 *
 * @param {string | object} target a path; or { path, signal, … } with the options of Channel
 * @returns {Promise<Channel>} rejects as net.connect() fails
 */
async function connect(target) {
  const { channelOptions, rest } = splitOptions(target);
  validateString(rest.path, 'options.path');
  validateSignal(rest.signal);
  const socket = new net.Socket({ descriptors: true, signal: rest.signal });
  socket.pause();
  socket.connect(rest);
  await once(/** @type {any} */ (socket), 'connect');
  try {
    return new Channel(socket, channelOptions);
  } catch (error) {
    socket.destroy();
    throw error;
  }
}

module.exports = { connect, listen };
