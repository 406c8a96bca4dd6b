'use strict';

// A receiver whose table of descriptors is full loses none.

const fs = require('node:fs');
const path = require('node:path');
const { socketpair } = require('../../lib/descriptors');
const { startFixture } = require('../helpers/child');
const { testNeeding } = require('../helpers/needed_programs');
const { temporaryFolder } = require('../helpers/socket_path');
const { isStress } = require('../helpers/stress');

// Two bytes for each number.
function numbersFile(count) {
  const bytes = Buffer.alloc(2 * count);
  for (let i = 0; i < count; i++) bytes.writeUInt16LE(i, 2 * i);
  const file = path.join(temporaryFolder(), 'numbers');
  fs.writeFileSync(file, bytes);
  return file;
}

async function run({ count, room, batch }) {
  const [ours, theirs] = socketpair();
  const stdio = (end) => ['ignore', 'pipe', 'pipe', end.fd];
  const receiver = startFixture('descriptors/full_table_receiver.js', [count, room], { stdio: stdio(theirs) });
  const sender = startFixture('descriptors/numbered_sender.js', [numbersFile(count), count, batch], {
    stdio: stdio(ours),
  });
  ours.close();
  theirs.close();
  const [received, sent] = await Promise.all([receiver.result, sender.result]);
  expect(sent).toMatchObject({ code: 0, stderr: '' });
  expect(received).toMatchObject({ code: 0, stderr: '' });
  return JSON.parse(received.stdout);
}

// The receiver gets no more than `room` of them each 20 ms.
for (const { count, room, batch } of [
  { count: isStress ? 10_000 : 1_500, room: 5, batch: 1 },
  { count: isStress ? 5_000 : 1_000, room: 8, batch: 3 },
]) {
  testNeeding('prlimit')(`${count} of ${batch} a message arrive in order where there is room for ${room}`, async () => {
    const outcome = await run({ count, room, batch });
    expect(outcome).toMatchObject({ came: count, wrong: [] });
    expect(outcome.tableWaits).toBeGreaterThan(0);
    expect(outcome.opened).toBeGreaterThan(0);
    if (isStress) expect(outcome.p99).toBeLessThan(20); // Of the delays of the loop, on a machine that is quiet.
  });
}
