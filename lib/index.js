'use strict';

// The package's entry: exports each part as a namespace, and the common functions by name.

const channel = require('./channel/index.js');
const child_process = require('./child_process/index.js');
const cluster = require('./cluster/index.js');
const descriptors = require('./descriptors/index.js');
const dgram = require('./dgram/index.js');
const net = require('./net/index.js');
const signals = require('./signals.js');
const systemd = require('./systemd.js');

const { Channel } = channel;
const { createCluster } = cluster;
const { exec, execFile, execFileSync, execSync, run, spawn, spawnSync } = child_process;
const { Descriptor, DescriptorPasser, socketpair } = descriptors;
const { connect, createServer } = net;
const { watchSignal } = signals;

// Identifiers only: Node finds no other exports when an ES module imports by name.
module.exports = {
  Channel,
  Descriptor,
  DescriptorPasser,
  channel,
  child_process,
  cluster,
  connect,
  createCluster,
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
