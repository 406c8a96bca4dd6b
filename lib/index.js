'use strict';

// Everything, as namespaces and by the common names.

const net = require('./net/index.js');
const systemd = require('./systemd.js');

module.exports = { net, systemd, connect: net.connect, createServer: net.createServer };
