'use strict';

// Programs of others that a test needs and a bare machine does not have. Such a test is
// skipped there, and its title names what is absent; run_reporter.js counts these tests.
// With PIPEWRIGHT_REQUIRE_TOOLS, as in CI, it fails instead.

const { spawnSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');

const INSTALLER = 'scripts/install_test_tools.sh';
const POSTGRES_VERSIONS = '/usr/lib/postgresql';

/**
 * @param {...string} names programs, or modules of Perl ('IO::FDPass')
 * @returns {Function} `test(title, body, timeout)`
 */
function testNeeding(...names) {
  const absent = names.filter((name) => !isInstalled(name));
  if (absent.length === 0) return test;
  if (process.env.PIPEWRIGHT_REQUIRE_TOOLS) return failing(absent);
  return (title, body) => test.skip(titleWithout(title, absent), body);
}

function failing(absent) {
  return (title) =>
    test(title, () => {
      throw new Error(`${absent.join(', ')}: not installed; ${INSTALLER} does that`);
    });
}

/** @returns {boolean} whether a program or a module of Perl is there */
function isInstalled(name) {
  if (name.includes('::')) return spawnSync('perl', [`-M${name}`, '-e', '1']).status === 0;
  return findProgram(name) !== undefined;
}

/** @returns {string | undefined} the full name of a program, also where only root's PATH has it */
function findProgram(name) {
  const versions = fs.existsSync(POSTGRES_VERSIONS) ? fs.readdirSync(POSTGRES_VERSIONS) : [];
  const servers = versions.map((version) => `${POSTGRES_VERSIONS}/${version}/bin`).reverse();
  const folders = [...servers, ...process.env.PATH.split(':'), '/usr/sbin', '/sbin'];
  return folders.map((folder) => path.join(folder, name)).find(isExecutable);
}

function isExecutable(file) {
  try {
    fs.accessSync(file, fs.constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

function titleWithout(title, absent) {
  return `${title} (not installed: ${absent.join(', ')})`;
}

/** @returns {string[]} what testNeeding() put into a title */
function absentPrograms(title) {
  return /\(not installed: (.*)\)$/.exec(title)?.[1].split(', ') ?? [];
}

module.exports = { INSTALLER, absentPrograms, findProgram, isInstalled, testNeeding };
