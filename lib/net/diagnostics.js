'use strict';

// The channels of node:diagnostics_channel on which net reports, for tracing tools; the
// same as Node's.

const diagnostics = require('node:diagnostics_channel');

const clients = diagnostics.channel('net.client.socket');
const accepted = diagnostics.channel('net.server.socket');
const listens = diagnostics.tracingChannel('net.server.listen');

function publish(channel, message) {
  if (channel.hasSubscribers) channel.publish(message);
}

module.exports = {
  clientCreated: (socket) => publish(clients, { socket }),
  connectionAccepted: (socket) => publish(accepted, { socket }),
  listenStarted: (server, options) => publish(listens.asyncStart, { server, options }),
  listenSucceeded: (server) => publish(listens.asyncEnd, { server }),
  listenFailed: (server, error) => publish(listens.error, { server, error }),
};
