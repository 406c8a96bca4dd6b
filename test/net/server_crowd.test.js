'use strict';

const fs = require('node:fs');
const { outputOf, startFixture, runFixture } = require('../helpers/child');
const { socketPath } = require('../helpers/socket_path');

// Two processes, of 10 000 descriptors each where the system lets them have so many.
const [, hardLimit] = /Max open files +\d+ +(\d+)/.exec(fs.readFileSync('/proc/self/limits', 'latin1'));
const COUNT = Math.min(10_000, Number(hardLimit) - 200);

test(`${COUNT} idle connections, then a message through each`, async () => {
  const path = socketPath();
  const server = startFixture('net/echo_server.js', [JSON.stringify({ path })], {
    openFiles: COUNT + 200,
  });
  await outputOf(server, 'listening');
  const { code, stdout, stderr } = await runFixture('net/crowd.js', [path, COUNT], {
    openFiles: COUNT + 200,
  });
  expect({ code, stdout, stderr }).toEqual({ code: 0, stdout: `${COUNT} answered\n`, stderr: '' });
});
