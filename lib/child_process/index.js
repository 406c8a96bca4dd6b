'use strict';

// pipewright/child_process: what node:child_process exports, run() and parent().

const { ChildProcess } = require('./child.js');
const { exec, execFile } = require('./exec.js');
const { fork } = require('./fork.js');
const { parent } = require('./parent.js');
const { run } = require('./run.js');
const { spawn } = require('./spawn.js');
const { execFileSync, execSync, spawnSync } = require('./sync.js');

module.exports = { ChildProcess, exec, execFile, execFileSync, execSync, fork, parent, run, spawn, spawnSync };
