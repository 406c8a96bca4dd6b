'use strict';

// Says on standard error what is being measured: on a terminal in one line that changes.

let row = '';

/** @param {string} name of the benchmark and of the row that is measured from now on */
function beginRow(name) {
  row = name;
  if (!process.stderr.isTTY) process.stderr.write(`${row}\n`);
}

function showRound(round, rounds, column) {
  if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${row}: round ${round} of ${rounds}, ${column}`);
}

function clearProgress() {
  if (process.stderr.isTTY) process.stderr.write('\r\x1b[K');
}

module.exports = { beginRow, clearProgress, showRound };
