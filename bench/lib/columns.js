'use strict';

// The implementations that are compared. A column has the command line of its server, or the reason why it is absent.
// The C column has one server for everything: an echo server.

const { existsSync } = require('node:fs');
const path = require('node:path');
const { spawnSync } = require('node:child_process');
const { buildClients, buildServers, programPath } = require('./c_programs.js');

const serverFolder = path.join(__dirname, '../servers');

// `module` is what the pipewright column loads, as seen from bench/servers.
function listColumns(module) {
  buildClients();
  return [nodeColumn(), pipewrightColumn(module), cColumn(), bunColumn()];
}

function nodeColumn() {
  return { name: 'node', absent: null, serverCommand: javascriptCommand(process.execPath, 'node:net') };
}

function pipewrightColumn(module) {
  const isPath = module.startsWith('.') || module.startsWith('/');
  const absent = isPath && !existsSync(path.resolve(serverFolder, module)) ? `${module} does not exist` : null;
  return { name: 'pipewright', absent, serverCommand: javascriptCommand(process.execPath, module) };
}

function cColumn() {
  return {
    name: 'C',
    absent: buildServers(),
    serverCommand: (program, address) => [programPath('echo_server'), address],
  };
}

function bunColumn() {
  const bun = findBun();
  if (bun === null) return { name: 'bun', absent: 'no bun: set BUN or npm install --no-save bun' };
  return { name: 'bun', absent: null, serverCommand: javascriptCommand(bun, 'node:net') };
}

function findBun() {
  const candidate = process.env.BUN ?? path.join(__dirname, '../../node_modules/.bin/bun');
  return spawnSync(candidate, ['--version']).status === 0 ? candidate : null;
}

function javascriptCommand(executable, module) {
  return (program, address, flags = []) => [executable, ...flags, path.join(serverFolder, program), module, address];
}

module.exports = { findBun, listColumns };
