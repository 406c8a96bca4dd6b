'use strict';

// Loaded by Jest before every test file: after each test, closes what the test
// registered, removes its folder, and fails the test if something is left.
//
// Hooks of one level run in the order in which they were written, and this file's
// come first. So an `afterEach` at the top level of a test file runs too late to
// close anything: use closing().

const { closeAll, enterTest, leaveTest } = require('./closing');
const { snapshot, waitUntilClean, warmUp } = require('./leaks');

let before;

beforeAll(warmUp);

beforeEach(() => {
  before = snapshot();
  enterTest();
});

afterEach(async () => {
  const problems = await closeAll(leaveTest());
  const leaked = await waitUntilClean(before);
  if (leaked.length > 0) problems.push(new Error(`The test leaked:\n  ${leaked.join('\n  ')}`));
  if (problems.length > 0)
    throw problems.length === 1 ? problems[0] : new AggregateError(problems, problems.join('\n'));
});

afterAll(async () => {
  const problems = await closeAll(leaveTest());
  if (problems.length > 0) throw problems[0];
});
