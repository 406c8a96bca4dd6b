'use strict';

// Several threads at once, and threads that end with everything open.

const { once } = require('node:events');
const fs = require('node:fs');
const path = require('node:path');
const { Worker } = require('node:worker_threads');
const net = require('../../lib/net');
const { closing } = require('../helpers/closing');
const { runFixture } = require('../helpers/child');
const { PROGRAM_HANGS_MS, TEST_HANGS_MS } = require('../helpers/hanging');
const { closed } = require('../helpers/net_pair');
const { temporaryFolder } = require('../helpers/socket_path');
const { isStress } = require('../helpers/stress');

const TIMES = isStress ? 50 : 6;

const PROGRAM = path.join(__dirname, '../fixtures/core/echo_thread.js');

async function startThread(workerData) {
  const worker = closing(new Worker(PROGRAM, { workerData }));
  await once(worker, 'message');
  return worker;
}

function ask(socketFile, question) {
  return new Promise((resolve, reject) => {
    const socket = closing(net.connect(socketFile)).on('error', reject);
    let answer = '';
    socket.setEncoding('utf8').on('data', (chunk) => (answer += chunk));
    socket.on('end', () => resolve(answer)).end(question);
  });
}

test('a server in the main thread and in three workers at once, each with its own clients', async () => {
  const folder = temporaryFolder();
  const paths = ['main', 'a', 'b', 'c'].map((name) => path.join(folder, name));
  const server = closing(net.createServer((socket) => socket.pipe(socket)));
  await once(server.listen(paths[0]), 'listening');
  await Promise.all(paths.slice(1).map((socketFile) => startThread({ socketFile })));
  const questions = Array.from({ length: 80 }, (_, i) => ask(paths[i % 4], `question ${i}`));
  expect(await Promise.all(questions)).toEqual(questions.map((_, i) => `question ${i}`));
});

describe('worker.terminate()', () => {
  test('closes a server and its open connections, and removes its file', async () => {
    const socketFile = path.join(temporaryFolder(), 's');
    const worker = await startThread({ socketFile });
    const clients = Array.from({ length: 10 }, () => closing(net.connect(socketFile)));
    await Promise.all(clients.map((client) => once(client.resume(), 'connect')));
    clients[0].write('x');
    await once(clients[0], 'data');
    const ends = clients.map(closed);
    await worker.terminate();
    await Promise.all(ends);
    expect(fs.existsSync(socketFile)).toBe(false);
  });

  test.each(['listening', 'writing', 'connecting', 'reading', 'throwing', 'closing', 'loading'])(
    `in the middle of %s leaves nothing behind, ${TIMES} times in a row`,
    async (doing) => {
      const { code, stderr, stdout } = await runFixture('core/terminate_often.js', [doing, TIMES]);
      expect({ code, stderr, stdout }).toEqual({ code: 0, stderr: '', stdout: 'nothing left\n' });
    },
  );

  const MORE = isStress ? 20 : 1;

  test(
    'while a handle is being opened does not abort the process (issue 9)',
    async () => {
      const options = { execArgv: ['--expose-gc'], timeout: MORE * PROGRAM_HANGS_MS };
      const { code, stderr, stdout } = await runFixture('core/terminate_opening.js', [3 * MORE], options);
      expect({ code, stderr, stdout }).toEqual({ code: 0, stderr: '', stdout: 'alive\n' });
    },
    MORE * TEST_HANGS_MS,
  );

  test(
    'in the middle of spawn() leaves no descriptor and no child (issue 9)',
    async () => {
      const options = { timeout: MORE * PROGRAM_HANGS_MS };
      const { stderr, stdout } = await runFixture('core/terminate_spawning.js', [40 * MORE], options);
      expect({ stderr, left: JSON.parse(stdout) }).toEqual({ stderr: '', left: { descriptors: 0, children: '' } });
    },
    MORE * TEST_HANGS_MS,
  );

  test('during a crossing drops the rest of the list', async () => {
    const { code, stderr } = await runFixture('core/terminate_often.js', ['exit_in_handler', TIMES]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  });
});

test('process.exit() with everything open ends with its status', async () => {
  const { code, stderr, stdout } = await runFixture('core/exit_with_all_open.js', ['7']);
  expect({ code, stderr, stdout }).toEqual({ code: 7, stderr: '', stdout: '' });
});
