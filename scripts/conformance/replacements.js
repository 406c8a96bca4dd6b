'use strict';

// Which modules of the package stand in for which of Node's.

const { execFileSync } = require('node:child_process');
const os = require('node:os');
const path = require('node:path');
const { nodeOptions } = require('./execute');

const ROOT = path.join(__dirname, '../..');
const CANDIDATES = ['net', 'child_process'];

/**
 * @param {string[]} [only] default: those the package has
 * @returns {{ preload: string, packageRoot: string, modules: Record<string, string> }}
 */
function findReplacements(only) {
  const { name, exports } = require('../../package.json');
  const wanted = only ?? CANDIDATES.filter((candidate) => exports[`./${candidate}`] !== undefined);
  const modules = Object.fromEntries(wanted.map((wish) => [wish, require.resolve(`${name}/${wish}`)]));
  return { preload: path.join(__dirname, 'preload.js'), packageRoot: ROOT, modules };
}

/** The package must load in that Node, before a test is blamed for it. */
function checkReplacements(node, { preload, packageRoot, modules }) {
  const hook = { modules, packageRoot, roots: [os.tmpdir()], helpers: '/', trace: null };
  const script = `
    const { load } = require(${JSON.stringify(preload)});
    for (const name of ${JSON.stringify(Object.keys(modules))}) require('assert')(load(name));`;
  execFileSync(node, ['-e', script], {
    stdio: ['ignore', 'ignore', 'inherit'],
    env: { ...process.env, NODE_OPTIONS: nodeOptions([preload]), CONFORMANCE_HOOK: JSON.stringify(hook) },
  });
}

module.exports = { checkReplacements, findReplacements };
