'use strict';

// For programs that are to run out of descriptors.

const fs = require('node:fs');

/** Opens until there is no room in the table. @returns {number[]} what it opened */
function fillTable() {
  const fds = [];
  try {
    for (;;) fds.push(fs.openSync('/dev/null'));
  } catch {
    return fds;
  }
}

module.exports = { fillTable };
