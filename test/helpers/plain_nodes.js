'use strict';

// Which Nodes the children of a test are, that have only Node: this one, and those that the
// environment names, in PIPEWRIGHT_PLAIN_NODES, with a colon between.

const { execFileSync } = require('node:child_process');

const others = (process.env.PIPEWRIGHT_PLAIN_NODES ?? '').split(':').filter(Boolean);

/** @type {[string, string][]} version and program of each */
const PLAIN_NODES = [process.execPath, ...others].map((program) => [
  program === process.execPath ? process.version : execFileSync(program, ['--version'], { encoding: 'utf8' }).trim(),
  program,
]);

module.exports = { PLAIN_NODES };
