'use strict';

// cluster.upgrade(): another primary takes the place of one, and no client notices.

const fs = require('node:fs');
const http = require('node:http');
const path = require('node:path');
const { createCluster } = require('../../lib/cluster');
const { gone } = require('../helpers/children');
const { socketPath } = require('../helpers/socket_path');
const { isStress } = require('../helpers/stress');
const { Primaries, askAgainAndAgain } = require('../helpers/upgrading');
const { until } = require('../helpers/until');

const UPGRADES = isStress ? 10 : 2;
const UNREADY = { exec: 'unready_worker.js' };

function get(target) {
  return new Promise((resolve, reject) => {
    const request = http.get({ agent: false, ...target }, async (response) => {
      resolve((await response.setEncoding('utf8').toArray()).join(''));
    });
    request.on('error', reject);
  });
}

/** Whether a process of the group runs that the primary of this pid leads. */
function isGroup(pid) {
  try {
    return process.kill(-pid, 0);
  } catch {
    return false;
  }
}

test('upgrades under load harm no client, over a path and TCP', async () => {
  const primaries = new Primaries({ listeners: [{ path: socketPath() }, { port: 0, host: '127.0.0.1' }] });
  const [socket, { port }] = await primaries.areReady();
  const loads = [{ socketPath: socket }, { port }].map((target) => askAgainAndAgain(target));
  for (let i = 0; i < UPGRADES; i++) {
    await primaries.upgraded();
    const counts = loads.map(({ count }) => count);
    for (const [at, load] of loads.entries()) await load.has(counts[at] + 20);
  }
  for (const load of loads) await load.stop();
  expect(loads.flatMap(({ failures }) => failures)).toEqual([]);
  await primaries.stop();
  expect(fs.existsSync(socket)).toBe(false);
  expect((await primaries.child.result).stderr).toBe('');
});

describe('the new primary', () => {
  test('may listen elsewhere: what it does not take is closed', async () => {
    const [kept, left, added] = [socketPath(), socketPath(), socketPath()];
    const primaries = new Primaries({ listeners: [{ path: kept }, { path: left }] });
    await primaries.areReady();
    primaries.configure({ listeners: [{ path: added }, { path: kept }] });
    await primaries.upgraded();
    await expect(get({ socketPath: left })).rejects.toMatchObject({ code: 'ENOENT' });
    for (const socket of [kept, added]) expect(await get({ socketPath: socket })).toMatch(/^\d+ 1$/);
    await primaries.stop();
    for (const socket of [kept, added]) expect(fs.existsSync(socket)).toBe(false);
  });

  test('that ends or is late is no harm: the old one goes on, and can try again', async () => {
    const listeners = [{ path: socketPath() }];
    const primaries = new Primaries({ listeners });
    const [address] = await primaries.areReady();
    primaries.configure({ listeners: 'no list' });
    expect((await primaries.upgrade('failed')).rest).toMatch(/^ERR_CLUSTER_UPGRADE_ENDED .* with code 1 /);
    primaries.configure({ listeners, options: UNREADY, timeout: 1 });
    expect((await primaries.upgrade('failed')).rest).toMatch(/^ERR_CLUSTER_UPGRADE_TIMEOUT /);
    expect(await get({ socketPath: address })).toMatch(/^\d+ 1$/);
    primaries.configure({ listeners });
    await primaries.upgraded();
    expect(await get({ socketPath: address })).toMatch(/^\d+ 1$/);
  });

  test('gets what workers of the old one have not read when they die', async () => {
    const primaries = new Primaries({ listeners: [{ path: socketPath() }] });
    const [address] = await primaries.areReady();
    const { workers } = primaries;
    for (const pid of workers) process.kill(pid, 'SIGSTOP');
    const answers = Array.from({ length: 10 }, () => get({ socketPath: address }));
    await primaries.hasAccepted(10);
    await primaries.upgrade();
    for (const pid of workers) process.kill(pid, 'SIGKILL');
    for (const answer of await Promise.all(answers)) expect(answer).toMatch(/^\d+ \d+$/);
  });
});

describe('the old primary', () => {
  test('that is killed on the way leaves all to the new one', async () => {
    const primaries = new Primaries({ listeners: [{ path: socketPath() }] });
    const [address] = await primaries.areReady();
    process.kill(primaries.pid, 'SIGUSR2');
    const { pid } = await primaries.says('listens');
    process.kill(primaries.pid, 'SIGKILL');
    primaries.pid = pid;
    expect(await get({ socketPath: address })).toMatch(/^\d+ 1$/);
    await primaries.stop();
    expect(fs.existsSync(address)).toBe(false);
  });

  test('that is closed on the way ends the new one, and its workers', async () => {
    const listeners = [{ path: socketPath() }];
    const primaries = new Primaries({ listeners });
    await primaries.areReady();
    primaries.configure({ listeners, options: UNREADY });
    process.kill(primaries.pid, 'SIGUSR2');
    const { pid } = await primaries.says('listens');
    process.kill(primaries.pid, 'SIGTERM');
    expect((await primaries.says('failed')).rest).toMatch(/^ERR_CLUSTER_CLOSED /);
    await until(() => !isGroup(pid));
    await gone(primaries.pid);
    expect(fs.existsSync(listeners[0].path)).toBe(false);
  });
});

test('SIGUSR2 upgrades, with handleSignals(); a failure is an error of the cluster', async () => {
  const config = { listeners: [{ path: socketPath() }], handlesSignals: true };
  const primaries = new Primaries(config);
  const [address] = await primaries.areReady();
  primaries.configure({ listeners: 'no list' });
  process.kill(primaries.pid, 'SIGUSR2');
  expect((await primaries.says('error')).rest).toMatch(/^ERR_CLUSTER_UPGRADE_ENDED /);
  primaries.configure(config);
  process.kill(primaries.pid, 'SIGUSR2');
  const { pid } = await primaries.says('listens');
  await gone(primaries.pid);
  primaries.pid = pid;
  expect(await get({ socketPath: address })).toBe('1 1');
  await primaries.stop();
});

test('a closed cluster does not upgrade; a timeout is a number', async () => {
  const exec = path.join(__dirname, '../fixtures/cluster/serving_worker.js');
  const cluster = createCluster({ exec, args: ['http'], workers: 1 });
  expect(() => cluster.upgrade({ timeout: 'soon' })).toThrow(expect.objectContaining({ code: 'ERR_INVALID_ARG_TYPE' }));
  await cluster.close();
  await expect(cluster.upgrade()).rejects.toMatchObject({ code: 'ERR_CLUSTER_CLOSED' });
});
