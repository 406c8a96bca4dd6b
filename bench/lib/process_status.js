'use strict';

// What /proc says about another process.

const { readFileSync, readdirSync } = require('node:fs');

// Resident bytes, exact: the figures in /proc/PID/status may lag behind by some pages for each thread.
function residentBytes(pid) {
  const rollup = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8');
  return Number(/^Rss:\s+(\d+) kB$/m.exec(rollup)[1]) * 1024;
}

function openFileCount(pid) {
  return readdirSync(`/proc/${pid}/fd`).length;
}

module.exports = { openFileCount, residentBytes };
