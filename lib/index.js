'use strict';

// Everything, as namespaces and by the common names.

const child_process = require('./child_process/index.js');
const net = require('./net/index.js');
const signals = require('./signals.js');
const systemd = require('./systemd.js');

const { connect, createServer } = net;
const { exec, execFile, execFileSync, execSync, run, spawn, spawnSync } = child_process;
const { watchSignal } = signals;

// Plain names only: Node finds no others when an ES module imports by name.
module.exports = {
  child_process,
  connect,
  createServer,
  exec,
  execFile,
  execFileSync,
  execSync,
  net,
  run,
  signals,
  spawn,
  spawnSync,
  systemd,
  watchSignal,
};
