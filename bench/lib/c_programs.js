'use strict';

// Builds the programs of bench/c and says where they are.

const { spawnSync } = require('node:child_process');
const path = require('node:path');

const sourceFolder = path.join(__dirname, '../c');

// The clients are needed whatever is measured.
function buildClients() {
  if (spawnSync('make', ['--version']).error) {
    throw new Error('bench needs make and a C compiler: apt-get install build-essential');
  }
  make('clients');
}

// Returns why the C column has to stay empty, or null.
function buildServers() {
  if (!hasLibuvHeader()) return 'uv.h not found: apt-get install libuv1-dev';
  make('servers');
  return null;
}

function hasLibuvHeader() {
  return spawnSync('cc', ['-E', '-include', 'uv.h', '-x', 'c', '/dev/null'], { stdio: 'ignore' }).status === 0;
}

function make(target) {
  const { status } = spawnSync('make', ['-s', '-C', sourceFolder, target], { stdio: ['ignore', 2, 2] });
  if (status !== 0) throw new Error(`make -C bench/c ${target} failed`);
}

function programPath(name) {
  return path.join(sourceFolder, 'build', name);
}

module.exports = { buildClients, buildServers, programPath };
