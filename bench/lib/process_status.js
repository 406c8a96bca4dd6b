'use strict';

// What /proc says about another process.

const { readFileSync, readdirSync } = require('node:fs');

// Resident bytes, exact: the figures in /proc/PID/status may lag behind by some pages for each thread.
function residentBytes(pid) {
  const rollup = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8');
  return Number(/^Rss:\s+(\d+) kB$/m.exec(rollup)[1]) * 1024;
}

const TICK_MICROSECONDS = 10_000; // USER_HZ is 100 on every architecture that Node has.

// User and system time of all its threads; exact to a tick of 10 ms.
function processorMicroseconds(pid) {
  const status = readFileSync(`/proc/${pid}/stat`, 'utf8');
  // The name stands in parentheses and may itself hold blanks; utime and stime are the 14th and 15th field.
  const fields = status.slice(status.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) * TICK_MICROSECONDS;
}

function openFileCount(pid) {
  return readdirSync(`/proc/${pid}/fd`).length;
}

module.exports = { openFileCount, processorMicroseconds, residentBytes };
