'use strict';

// `npm run stress` spawns 100 000, `npm test` 2 000.

const { runFixture } = require('../helpers/child');
const { PROGRAM_HANGS_MS, TEST_HANGS_MS } = require('../helpers/hanging');
const { isStress } = require('../helpers/stress');

const COUNT = isStress ? 100_000 : 2_000;
const MORE = COUNT / 2_000;
const MEMORY_SLACK = 24 * 1024 * 1024; // Bytes; a leak of 1 KiB a child would be 48 MiB under stress.

test(
  'many children leave memory, descriptors and process table as they were',
  async () => {
    const options = { execArgv: ['--expose-gc'], timeout: MORE * PROGRAM_HANGS_MS };
    const { stdout, stderr } = await runFixture('child_process/spawn_many.js', [COUNT], options);
    expect(stderr).toBe('');
    const { begin, end, good } = JSON.parse(stdout);
    expect(good).toBe(COUNT);
    expect(end).toMatchObject({ descriptors: begin.descriptors, children: '' });
    expect(end.memory - begin.memory).toBeLessThan(MEMORY_SLACK);
  },
  MORE * TEST_HANGS_MS,
);
