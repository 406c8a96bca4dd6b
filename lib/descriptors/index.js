'use strict';

// pipewright/descriptors: descriptors as objects, and passing them over Unix sockets.

const { Descriptor } = require('../net/convert.js');
const { toDescriptor } = require('../net/sendable.js');
const { accept, connect, listen } = require('./meeting.js');
const { DescriptorPasser } = require('./passer.js');
const { socketpair } = require('./pair.js');

Object.assign(DescriptorPasser, { accept, connect, listen });

module.exports = { Descriptor, DescriptorPasser, socketpair, toDescriptor };
