'use strict';

// Packages of others, with pipewright/register below them, for what they do most. Each
// runs in a program of its own, which says what it found; and once more with Node's own
// module, which has to give the same.

const path = require('node:path');
const { runFixture } = require('../helpers/child');
const { testNeeding } = require('../helpers/needed_programs');
const { testSinceNode } = require('../helpers/node_version');

const REGISTER = path.join(__dirname, '../../lib/register.js');

describe('what they find is what they find with Node', () => {
  testSinceNode(20, 5)('execa', () => compare('execa'));
  testNeeding('bash', 'ps')('zx', () => compare('zx'));
  test.each(['cross-spawn', 'tinyexec'])('%s', (name) => compare(name));
});

async function compare(name) {
  const env = { BASH_ENV: '' }; // What a user has bash do first may take its time.
  const results = await Promise.all(
    [['-r', REGISTER], []]
      .map((flags) => [...flags, '--no-deprecation'])
      .map((execArgv) => runFixture('child_process/uses_package.mjs', [name], { execArgv, env })),
  );
  const [ours, theirs] = results.map(({ code, stdout, stderr }) => {
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    return JSON.parse(stdout);
  });
  expect(ours.isOurs).toBe(true);
  expect(theirs.isOurs).toBe(false);
  expect(ours.found).toEqual(theirs.found);
  expect(Object.keys(ours.found).length).toBeGreaterThanOrEqual(5);
}
