'use strict';

// The primary is killed: each of its workers ends by itself, whatever it is doing.

const fs = require('node:fs');
const { gone } = require('../helpers/children');
const { socketPath } = require('../helpers/socket_path');
const { Primaries } = require('../helpers/upgrading');

/** Kills a primary with SIGKILL. @returns {Promise<number[]>} the workers that it had */
async function kill(primaries) {
  const { pid } = primaries;
  const workers = fs.readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ').map(Number);
  process.kill(pid, 'SIGKILL');
  await gone(pid);
  return workers;
}

test('a worker that is not ready ends at once', async () => {
  const primaries = new Primaries({ listeners: [{ path: socketPath() }], options: { exec: 'unready_worker.js' } });
  await primaries.says('listens');
  const workers = await kill(primaries);
  expect(workers).toHaveLength(1);
  await gone(workers[0]);
});

test('a worker whose program goes on ends after closeTimeout', async () => {
  const options = { exec: 'lasting_worker.js', closeTimeout: 100 };
  const primaries = new Primaries({ listeners: [{ path: socketPath() }], options });
  await primaries.areReady();
  const workers = await kill(primaries);
  expect(workers).toEqual(primaries.workers);
  await gone(workers[0]);
});
