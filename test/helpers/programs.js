'use strict';

// Programs of others that tests start.

const fs = require('node:fs');
const path = require('node:path');
const { once } = require('node:events');
const { closing } = require('./closing');

const DEADLINE_MS = 10_000;

/** @returns {string} the full name of a program, also where only root's PATH has it */
function serverBinary(name) {
  const versions = '/usr/lib/postgresql';
  const packaged = fs.existsSync(versions)
    ? fs.readdirSync(versions).map((version) => `${versions}/${version}/bin`)
    : [];
  const folders = [...packaged.reverse(), ...process.env.PATH.split(':'), '/usr/sbin', '/sbin'];
  const found = folders.map((folder) => path.join(folder, name)).find((file) => fs.existsSync(file));
  if (found === undefined) throw new Error(`${name} is not installed; see .ci/run`);
  return found;
}

/**
 * A client of a server that is being started: there is no event to wait for, so it
 * tries until it is let in.
 */
async function connectWhenThere(net, name) {
  const deadline = Date.now() + DEADLINE_MS;
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

module.exports = { connectWhenThere, serverBinary };
