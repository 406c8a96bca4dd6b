'use strict';

// Two processes exchange messages and requests of random sizes both ways, with
// descriptors, and one of them is killed at a random moment: nothing comes twice, nothing comes
// cut, nothing is left out, and each promise is settled once. 100 000 messages with
// PIPEWRIGHT_STRESS=1.

const { socketpair } = require('../../lib/descriptors');
const { startFixture } = require('../helpers/child');
const { randomIntegers } = require('../helpers/random');
const { allowHours, isStress } = require('../helpers/stress');

const ROUNDS = isStress ? 60 : 3;
const MESSAGES = isStress ? 1_000 : 300; // Of each side.
allowHours();

const random = randomIntegers();

function startPair(serialization) {
  const ends = socketpair();
  const children = ends.map((end) =>
    startFixture('channel/exchange.js', [random(2 ** 31), MESSAGES, serialization], {
      stdio: ['ignore', 'pipe', 'pipe', end.fd],
    }),
  );
  for (const end of ends) end.close();
  return children;
}

function killAfter(child, dots) {
  let count = 0;
  child.stdout.on('data', (text) => {
    count += text.length;
    if (count >= dots) child.kill('SIGKILL');
  });
}

async function reportOf(child) {
  const { code, stdout, stderr } = await child.result;
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  return JSON.parse(stdout.slice(stdout.indexOf('{')));
}

describe.each(['json', 'advanced', 'raw'])('%s', (serialization) => {
  test('everything arrives once, whole and in order', async () => {
    for (const report of await Promise.all(startPair(serialization).map(reportOf))) {
      expect(report).toMatchObject({ sent: MESSAGES, came: MESSAGES, wrong: [], twice: 0, reason: null });
      expect([report.settled, report.resolved]).toEqual([report.tracked, report.tracked]);
    }
  });

  test('the one that is left has whole messages without a gap, and an outcome of each of its own', async () => {
    for (let round = 0; round < ROUNDS; round++) {
      const [killed, left] = startPair(serialization);
      const dots = 1 + random(MESSAGES - 50);
      killAfter(killed, dots);
      const report = await reportOf(left);
      expect(report).toMatchObject({ wrong: [], twice: 0, settled: report.tracked });
      expect(report.sent).toBeGreaterThanOrEqual(dots);
      // On a slow machine the signal may come when both have exchanged everything.
      const isLate = report.reason === null && report.came === MESSAGES;
      if (!isLate) expect(report.reason).toMatch(/^ERR_CHANNEL_(ENDED|TRUNCATED)$/);
      await killed.result;
    }
  });
});
