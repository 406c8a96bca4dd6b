'use strict';

// The peer is killed at a random point: nothing stays open, and each callback of a send
// is called once. 500 rounds with `npm run stress`.

const { execFileSync, spawn } = require('node:child_process');
const { once } = require('node:events');
const fs = require('node:fs');
const path = require('node:path');
const { Descriptor, DescriptorPasser, socketpair } = require('../../lib/descriptors');
const { closing } = require('../helpers/closing');
const { randomIntegers, seed } = require('../helpers/random');
const { temporaryFolder } = require('../helpers/socket_path');
const { isStress } = require('../helpers/stress');

const ROUNDS = isStress ? 250 : 20; // Of each of the two.
const MESSAGES = 600;

const random = randomIntegers();
const openCount = () => fs.readdirSync('/proc/self/fd').length;

function compile() {
  const program = path.join(temporaryFolder(), 'fd_peer');
  execFileSync('cc', ['-O1', '-o', program, path.join(__dirname, '../fixtures/descriptors/fd_peer.c')]);
  return program;
}

function start(program, args, batch) {
  const [ours, theirs] = socketpair();
  theirs.isNonBlocking = false;
  const child = closing(spawn(program, args, { stdio: ['ignore', 'ignore', 'inherit', theirs.fd] }));
  theirs.close();
  return { child, exited: once(child, 'exit'), passer: new DescriptorPasser({ socket: ours, batch }) };
}

async function untilOpen(count) {
  while (openCount() > count) await new Promise(setImmediate);
}

async function killReceiver(program) {
  const before = openCount();
  const { child, exited, passer } = start(program, ['receive', '1000000'], 1 + random(3));
  const killAt = random(MESSAGES);
  const calls = new Array(MESSAGES).fill(0);
  const descriptors = calls.map(() => new Descriptor(fs.openSync('/dev/null', 'w')));
  const sent = descriptors.map(
    (descriptor, i) =>
      new Promise((resolve) => {
        const callback = (error) => {
          calls[i] += 1;
          if (i === killAt) child.kill('SIGKILL');
          resolve(error);
        };
        try {
          passer.send(descriptor, callback);
        } catch (error) {
          callback(error);
        }
      }),
  );
  await Promise.all(sent);
  child.kill('SIGKILL');
  await exited;
  passer.close();
  for (const descriptor of descriptors) descriptor.close();
  expect(new Set(calls)).toEqual(new Set([1]));
  await untilOpen(before);
}

async function killSender(program) {
  const before = openCount();
  const { child, exited, passer } = start(program, ['send', ...new Array(MESSAGES).fill('/dev/null')], 1);
  const killAt = random(MESSAGES);
  let came = 0;
  for await (const descriptor of passer) {
    descriptor.close();
    if (came++ === killAt) child.kill('SIGKILL');
  }
  await exited;
  expect(passer.stats().received).toBe(came);
  passer.close();
  await untilOpen(before);
}

test.each([
  ['receiver', killReceiver],
  ['sender', killSender],
])(
  `${ROUNDS} rounds in which the %s is killed, seed ${seed}`,
  async (_, round) => {
    const program = compile();
    for (let i = 0; i < ROUNDS; i++) await round(program);
  },
  300_000,
);
