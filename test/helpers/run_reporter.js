'use strict';

// What Jest's own reporter does not do at the end of a run.

const fs = require('node:fs');

const GRACE_MS = 2000;

module.exports = class RunReporter {
  onRunComplete(_contexts, results) {
    const failed = results.numFailedTests + results.numRuntimeErrorTestSuites;
    appendCounts(results.numPassedTests, failed);
    if (failed > 0) endThoughSomethingIsOpen();
  }
};

// For a script that sums several runs. A file that could not run is one failure.
function appendCounts(passed, failed) {
  const file = process.env.PIPEWRIGHT_TEST_COUNTS;
  if (file) fs.appendFileSync(file, `${passed} ${failed}\n`);
}

// A leaked server, for which a test has failed already, would hold a run without
// worker processes for ever. The timer alone holds nothing.
function endThoughSomethingIsOpen() {
  setTimeout(() => process.exit(1), GRACE_MS).unref();
}
