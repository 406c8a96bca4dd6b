'use strict';

// A listener of 'message' that throws.

const { runFixture } = require('../helpers/child');

test('a listener that throws at one message gets those that came with it', async () => {
  const { code, stdout, stderr } = await runFixture('dgram/throws_at_first.js');
  expect({ code, stdout, stderr }).toEqual({ code: 0, stdout: 'a 1,b 1,c 1 thrown\n', stderr: '' });
});
