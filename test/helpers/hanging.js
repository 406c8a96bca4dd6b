'use strict';

// After how many milliseconds something counts as hanging: far above what it takes under
// a sanitizer on a busy machine. Nothing is measured by these.

/** A test, unless it says otherwise. */
const TEST_HANGS_MS = 180_000;

/** One that repeats what it does for PIPEWRIGHT_STRESS. */
const STRESS_HANGS_MS = 3_600_000;

/** A program that a test started: less, so that the test can tell what it had written. */
const PROGRAM_HANGS_MS = 150_000;

/** What is being closed. */
const CLOSING_HANGS_MS = 30_000;

module.exports = { CLOSING_HANGS_MS, PROGRAM_HANGS_MS, STRESS_HANGS_MS, TEST_HANGS_MS };
