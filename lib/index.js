'use strict';

// Everything, as namespaces and by the common names.

const descriptors = require('./descriptors/index.js');
const dgram = require('./dgram/index.js');
const net = require('./net/index.js');
const systemd = require('./systemd.js');

const { Descriptor, DescriptorPasser, socketpair } = descriptors;
const { connect, createServer } = net;

// Plain names only: Node finds no others when an ES module imports by name.
module.exports = {
  Descriptor,
  DescriptorPasser,
  connect,
  createServer,
  descriptors,
  dgram,
  net,
  socketpair,
  systemd,
};
