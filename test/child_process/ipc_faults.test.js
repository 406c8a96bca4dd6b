'use strict';

// What goes wrong between us and children that have only Node: deaths, floods, full tables.
// Under PIPEWRIGHT_STRESS=1 (`npm run stress`) with many more messages.

const { once } = require('node:events');
const path = require('node:path');

const { fork } = require('../../lib/child_process');
const { socketpair } = require('../../lib/descriptors');
const { startFixture, outputOf } = require('../helpers/child');
const { gone } = require('../helpers/children');
const { closing } = require('../helpers/closing');
const { PLAIN_NODES } = require('../helpers/plain_nodes');
const { randomIntegers } = require('../helpers/random');
const { allowHours, isStress } = require('../helpers/stress');

allowHours();
const ROUNDS = isStress ? 200 : 4;
const MESSAGES = isStress ? 500 : 50; // A round.
const HANDLES = 60;

const fixture = (name) => path.join(__dirname, '../fixtures/child_process', name);

const closed = (child) => new Promise((resolve) => child.once('close', resolve));

function endOfPair() {
  const [first, second] = socketpair();
  closing(second);
  return closing(first);
}

/** Checks that numbered messages come in order, once each and whole. */
function follow(child) {
  const seen = { flood: 0, echoes: [], sent: undefined, wrong: [] };
  child.on('message', ({ number, text, length, got, sent }) => {
    if (sent !== undefined) seen.sent = sent;
    else if (got !== undefined) seen.echoes.push([got, length]);
    else if (number !== seen.flood || text.length !== length) seen.wrong.push(number);
    else seen.flood += 1;
  });
  return seen;
}

describe.each(PLAIN_NODES)('a child with Node %s', (_, execPath) => {
  describe.each(['json', 'advanced'])('and %s', (serialization) => {
    const start = (name, args = [], options = {}) =>
      closing(fork(fixture(name), args, { execPath, serialization, ...options }));

    test('each floods the other, and nothing is lost, twice, or out of order', async () => {
      const child = start('ipc_flood.js', ['flood']);
      const seen = follow(child);
      const random = randomIntegers();
      const lengths = Array.from({ length: 500 }, () => random(random(5) === 0 ? 100_000 : 200));
      let called = 0;
      for (const [number, length] of lengths.entries()) {
        child.send({ number, text: 'y'.repeat(length) }, (error) => (called += error === null ? 1 : 0));
      }
      child.send({ over: true });
      while (seen.sent === undefined) await once(child, 'message');
      expect(seen).toMatchObject({ wrong: [], flood: seen.sent, echoes: [...lengths.entries()] });
      expect(called).toBe(lengths.length);
    });

    test('it stops and goes on: what was sent meanwhile comes, handles too', async () => {
      const child = start('ipc_handles.js');
      child.send({ id: -1 });
      await once(child, 'message');
      child.kill('SIGSTOP');
      const calls = [];
      const delivered = new Promise((resolve) => {
        for (let id = 0; id < 5; id++) child.send({ id, word: 'x' }, endOfPair(), (error) => calls.push(error));
        child.send({ id: 5 }, (error) => resolve(calls.push(error)));
      });
      child.kill('SIGCONT');
      await delivered;
      expect(calls).toEqual([null, null, null, null, null, null]);
    });
  });

  test(`its table is full while ${HANDLES} handles are sent: none is lost`, async () => {
    const shell = ['-c', `ulimit -n 64; exec "$0" "$@"`, execPath, fixture('ipc_full_table.js')];
    const { spawn } = require('../../lib/child_process');
    const child = closing(spawn('sh', shell, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] }));
    child.send('fill');
    await once(child, 'message');
    const order = [];
    child.on('message', ({ message }) => order.push(message));
    const outcomes = Array.from(
      { length: HANDLES },
      (__, id) => new Promise((resolve) => child.send(id, endOfPair(), (error) => resolve(error))),
    );
    expect(await Promise.all(outcomes)).toEqual(Array(HANDLES).fill(null));
    while (order.length < HANDLES) await once(child, 'message');
    expect(order).toEqual([...Array(HANDLES).keys()]);
  });

  test('random sizes both ways with random kills: nothing cut or twice, and every callback once', async () => {
    const random = randomIntegers();
    for (let round = 0; round < ROUNDS; round++) {
      const serialization = round % 2 === 0 ? 'json' : 'advanced';
      const child = fork(fixture('ipc_flood.js'), ['flood'], { execPath, serialization });
      const seen = follow(child);
      child.on('error', () => {});
      const calls = new Map();
      const killAt = random(MESSAGES * 2);
      child.on('message', () => {
        if (seen.flood + seen.echoes.length >= killAt) child.kill('SIGKILL');
      });
      const lengths = Array.from({ length: MESSAGES }, () => random(random(10) === 0 ? 100_000 : 200));
      const pairs = new Map();
      const errors = new Map();
      for (const [number, length] of lengths.entries()) {
        if (number % 7 === 3) pairs.set(number, socketpair());
        child.send({ number, text: 'y'.repeat(length) }, pairs.get(number)?.[0], (error) => {
          calls.set(number, (calls.get(number) ?? 0) + 1);
          errors.set(number, error);
        });
      }
      await closed(child);
      await new Promise(setImmediate);
      expect(seen.wrong).toEqual([]);
      expect(seen.echoes).toEqual([...lengths.entries()].slice(0, seen.echoes.length));
      expect([...calls.values()]).toEqual(Array(MESSAGES).fill(1));
      for (const [number, [sent, other]] of pairs) {
        expect(sent.isOpen).toBe(errors.get(number) !== null);
        for (const end of [sent, other]) end.close();
      }
    }
  });

  test.each(['quiet', 'flood'])('the parent dies: the child (%s) ends, and nothing is left', async (kind) => {
    const parent = startFixture('child_process/ipc_parent_dies.js', [kind, execPath]);
    const pid = Number.parseInt(await outputOf(parent, '\n'), 10);
    expect(pid).toBeGreaterThan(1);
    await gone(pid);
  });
});
