'use strict';

// examples/multi_thread_cluster.js, used as its head says.

const { once } = require('node:events');
const http = require('node:http');
const path = require('node:path');
const { text } = require('node:stream/consumers');

const { spawn } = require('../../lib/child_process');
const { said, textOf } = require('../helpers/children');
const { closing } = require('../helpers/closing');
const { socketPath } = require('../helpers/socket_path');

async function get(socket, url) {
  const [response] = await once(http.get({ socketPath: socket, path: url, agent: false }), 'response');
  return text(response);
}

test('multi_thread_cluster.js: threads take turns, and one that crashes is followed by another', async () => {
  const socket = socketPath();
  const program = path.join(__dirname, '../../examples/multi_thread_cluster.js');
  const child = closing(spawn(process.execPath, [program, socket, '2']));
  child.stdout.setEncoding('utf8');
  await said(child.stdout, 'thread 1 is ready');
  const answers = new Set();
  while (answers.size < 2) answers.add(await get(socket, '/'));
  expect([...answers].sort()).toEqual(['thread 1\n', 'thread 2\n']);
  const next = said(child.stdout, 'thread 3 is ready');
  await expect(get(socket, '/crash')).rejects.toMatchObject({ code: 'ECONNRESET' });
  expect(await next).toMatch(/thread [12] has ended/);
  const exit = once(child, 'exit');
  const rest = textOf(child.stdout);
  child.kill('SIGINT');
  expect(await exit).toEqual([0, null]);
  expect(await rest).toContain('has ended');
});
