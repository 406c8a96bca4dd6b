'use strict';

// Everything, as namespaces and by the common names.

const channel = require('./channel/index.js');
const child_process = require('./child_process/index.js');
const descriptors = require('./descriptors/index.js');
const dgram = require('./dgram/index.js');
const net = require('./net/index.js');
const signals = require('./signals.js');
const systemd = require('./systemd.js');

const { Channel } = channel;
const { exec, execFile, execFileSync, execSync, run, spawn, spawnSync } = child_process;
const { Descriptor, DescriptorPasser, socketpair } = descriptors;
const { connect, createServer } = net;
const { watchSignal } = signals;

// Plain names only: Node finds no others when an ES module imports by name.
module.exports = {
  Channel,
  Descriptor,
  DescriptorPasser,
  channel,
  child_process,
  connect,
  createServer,
  descriptors,
  dgram,
  exec,
  execFile,
  execFileSync,
  execSync,
  net,
  run,
  signals,
  socketpair,
  spawn,
  spawnSync,
  systemd,
  watchSignal,
};
