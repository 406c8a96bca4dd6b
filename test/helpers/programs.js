'use strict';

// Servers of others that tests start.

const { once } = require('node:events');
const { closing } = require('./closing');
const { PROGRAM_HANGS_MS } = require('./hanging');

/**
 * A client of a server that is being started: there is no event to wait for, so it
 * tries until it is let in.
 */
async function connectWhenThere(net, name) {
  const deadline = Date.now() + PROGRAM_HANGS_MS;
  for (;;) {
    const client = net.connect(name);
    try {
      await once(client, 'connect');
      return closing(client);
    } catch (err) {
      if (Date.now() > deadline) throw err;
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }
}

module.exports = { connectWhenThere };
