'use strict';

// The versions of Node that the package is tried with, got from npm (package `node`)
// into node_modules/.cache, each in a folder of its own. Used by test_matrix.js and
// conformance_docs.js.

const { execFileSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');

const ROOT = path.join(__dirname, '..');
const CACHE = path.join(ROOT, 'node_modules/.cache/nodes');

/** @returns {string[]} the lowest version of `engines`, and each line that is maintained */
function supportedVersions() {
  const { engines } = require('../package.json');
  return [engines.node.replace('>=', ''), '20', '22', '24', '26'];
}

/**
 * @param {string} version what npm takes, such as '24' or '20.4'; in the cache it stays what it was at first
 * @returns {{ program: string, version: string }} its executable, and the whole version
 */
function fetchNode(version) {
  const folder = path.join(CACHE, version);
  const program = path.join(folder, 'node_modules/node/bin/node');
  if (!fs.existsSync(program)) {
    fs.mkdirSync(folder, { recursive: true });
    fs.writeFileSync(path.join(folder, 'package.json'), '{ "private": true }\n');
    const options = ['--no-audit', '--no-fund', '--loglevel=error', '--ignore-scripts=false'];
    execFileSync('npm', ['install', ...options, `node@${version}`], {
      cwd: folder,
      env: withoutNpmPrefix(process.env),
      stdio: ['ignore', 'ignore', 'inherit'],
    });
  }
  return { program, version: execFileSync(program, ['--version'], { encoding: 'utf8' }).trim().slice(1) };
}

// `npm run` tells its children which package is meant; here it is another.
function withoutNpmPrefix(env) {
  return Object.fromEntries(Object.entries(env).filter(([name]) => !/^npm_(config_local_prefix|package_)/.test(name)));
}

module.exports = { fetchNode, supportedVersions };
