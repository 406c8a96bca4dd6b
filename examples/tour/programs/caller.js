'use strict';

// caller.js PATH: connects, and prints what it is told.

const { connect } = require('pipewright/net');

let text = '';
const socket = connect(process.argv[2]);
socket.setEncoding('utf8').on('data', (chunk) => (text += chunk));
socket.on('error', (error) => (text += error.code));
socket.on('close', () => console.log(text || 'nothing'));
