'use strict';

// Without the option `env` a child gets what process.env says, whatever has been done to that.

const { runFixture } = require('../helpers/child');

test('children get the variables as they are, and who wraps or watches spawn() sees the list', async () => {
  const { stdout, stderr } = await runFixture('child_process/inherited_environment.js', [], { env: { A: 'start' } });
  expect(stderr).toBe('');
  expect(JSON.parse(stdout)).toEqual({
    start: 'start',
    changed: 'changed',
    sync: 'changed',
    deleted: '',
    worker: 'of the worker',
    wrapped: 'wrapped',
    subscriber: true,
    fork: 'main',
    replaced: 'replaced',
    proxied: 'proxied',
  });
});
