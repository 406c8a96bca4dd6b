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
  return timesOf(`/proc/${pid}/stat`);
}

function threadMicroseconds(pid, thread) {
  return timesOf(`/proc/${pid}/task/${thread}/stat`);
}

function timesOf(file) {
  const status = readFileSync(file, 'utf8');
  // The name stands in parentheses and may itself hold blanks; utime and stime are the 14th and 15th field.
  const fields = status.slice(status.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) * TICK_MICROSECONDS;
}

// Children, and theirs.
function descendants(pid) {
  const tasks = readdirSync(`/proc/${pid}/task`);
  const children = tasks.flatMap(
    (task) => readFileSync(`/proc/${pid}/task/${task}/children`, 'utf8').match(/\d+/g) ?? [],
  );
  return children.map(Number).flatMap((child) => [child, ...descendants(child)]);
}

function openFileCount(pid) {
  return readdirSync(`/proc/${pid}/fd`).length;
}

module.exports = { descendants, openFileCount, processorMicroseconds, residentBytes, threadMicroseconds };
