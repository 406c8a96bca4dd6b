'use strict';

// pipewright/descriptors: descriptors as objects, and passing them over Unix sockets.

const { Descriptor } = require('../fd/descriptor.js');
const { toDescriptor } = require('../fd/sendable.js');
const { accept, connect, listen } = require('./rendezvous.js');
const { DescriptorPasser } = require('./passer.js');
const { socketpair } = require('./socketpair.js');

Object.assign(DescriptorPasser, { accept, connect, listen });

module.exports = { Descriptor, DescriptorPasser, socketpair, toDescriptor };
