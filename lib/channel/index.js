'use strict';

// pipewright/channel: framed messages, with descriptors, over Unix stream sockets.

const { Channel } = require('./channel.js');
const { connect, listen } = require('./rendezvous.js');

Object.assign(Channel, { connect, listen });

module.exports = { Channel };
