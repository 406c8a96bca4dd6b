'use strict';

// What Jest's own reporter does not do at the end of a run.

const fs = require('node:fs');
const { INSTALLER, absentPrograms } = require('./needed_programs');

const GRACE_MS = 2000;

module.exports = class RunReporter {
  onRunComplete(_contexts, results) {
    const failed = results.numFailedTests + results.numRuntimeErrorTestSuites;
    appendCounts(results.numPassedTests, failed);
    reportAbsentPrograms(results);
    if (failed > 0) endThoughSomethingIsOpen();
  }
};

// For a script that sums several runs. A file that could not run is one failure.
function appendCounts(passed, failed) {
  const file = process.env.PIPEWRIGHT_TEST_COUNTS;
  if (file) fs.appendFileSync(file, `${passed} ${failed}\n`);
}

// The last line of all: Jest prints its summary after every reporter has had its turn.
function reportAbsentPrograms({ testResults }) {
  const skipped = testResults.flatMap((file) => file.testResults).map(({ title }) => absentPrograms(title));
  const absent = skipped.filter((programs) => programs.length > 0);
  if (absent.length === 0) return;
  const names = [...new Set(absent.flat())].sort().join(', ');
  const line = `${absent.length} skipped for want of programs (${names}). As root, to get them: ${INSTALLER}\n`;
  process.on('exit', () => process.stderr.write(line));
}

// A leaked server, for which a test has failed already, would hold a run without
// worker processes for ever. The timer alone holds nothing.
function endThoughSomethingIsOpen() {
  setTimeout(() => process.exit(1), GRACE_MS).unref();
}
