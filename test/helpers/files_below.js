'use strict';

const fs = require('node:fs');
const path = require('node:path');

/**
 * Node 20.4 gives wrong folders for `{ recursive: true, withFileTypes: true }`, so
 * each file is looked at.
 *
 * @returns {string[]} the files of a folder and of those in it, relative to it, sorted
 */
function filesBelow(folder) {
  const names = fs.readdirSync(folder, { recursive: true });
  return names.filter((name) => fs.lstatSync(path.join(folder, name)).isFile()).sort();
}

module.exports = { filesBelow };
