'use strict';

// Everything, as namespaces and by the common names.

const net = require('./net/index.js');

module.exports = { net, connect: net.connect, createServer: net.createServer };
