'use strict';

// A temporary folder for each test that asks for one, removed after the test.

const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { closing } = require('./closing');

/**
 * @param {number} [mode] wider for a test in which another user takes part
 * @returns {string} the path of a new, empty folder
 */
function temporaryFolder(mode = 0o700) {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'pw-'));
  fs.chmodSync(folder, mode);
  closing(() => fs.rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** @returns {string} a path, in a folder of its own, at which there is nothing yet */
function socketPath(name = 's') {
  return path.join(temporaryFolder(), name);
}

module.exports = { socketPath, temporaryFolder };
