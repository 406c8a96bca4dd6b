'use strict';

// When descriptors run out, clients wait; none is closed unasked (rule 11).

const net = require('../../lib/net');
const nodeNet = require('node:net');
const { once } = require('node:events');
const { closing } = require('../helpers/closing');
const { outputOf, startFixture } = require('../helpers/child');
const { socketPath } = require('../helpers/socket_path');

async function crowd(server, count) {
  const answers = Array.from({ length: count }, () => {
    const client = closing(nodeNet.connect(server));
    return new Promise((resolve) => {
      let answer = '';
      client.on('data', (chunk) => (answer += chunk)).on('error', (err) => resolve(err.code));
      client.on('end', () => resolve(answer || 'closed silently'));
      client.write('x');
    });
  });
  return Promise.all(answers);
}

test('with 64 descriptors all of 200 clients are served once there is room, and it is reported', async () => {
  const path = socketPath();
  const child = startFixture('net/overloaded_server.js', [path], { openFiles: 64 });
  await outputOf(child, 'listening');
  expect(new Set(await crowd(path, 200))).toEqual(new Set(['served']));
  child.stdin.end();
  const { code, stdout, stderr } = await child.result;
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  expect(stdout).toMatch('overload EMFILE accept');
});

test('a listener that waits for room is closed at once', async () => {
  const path = socketPath();
  const child = startFixture('net/overloaded_server.js', [path, 'close'], { openFiles: 40 });
  await outputOf(child, 'listening');
  const clients = Array.from({ length: 100 }, () => closing(nodeNet.connect(path).on('error', () => {})));
  const { code, stdout } = await child.result;
  for (const client of clients) client.destroy();
  expect([code, stdout]).toEqual([0, expect.stringMatching(/overload EMFILE accept\nclosed/)]);
});

test('connect without a free descriptor is an error event with EMFILE', async () => {
  const path = socketPath();
  const server = closing(net.createServer());
  await once(server.listen(path), 'listening');
  const child = startFixture('net/full_table.js', [path], { openFiles: 40 });
  const { code, stdout, stderr } = await child.result;
  expect({ code, stdout, stderr }).toEqual({
    code: 0,
    stdout: 'connect EMFILE\nlisten EMFILE\nconnected\n',
    stderr: '',
  });
});
