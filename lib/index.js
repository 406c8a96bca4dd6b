'use strict';

// Everything, as namespaces and by the common names.

const net = require('./net/index.js');
const systemd = require('./systemd.js');

const { connect, createServer } = net;

// Plain names only: Node finds no others when an ES module imports by name.
module.exports = { connect, createServer, net, systemd };
