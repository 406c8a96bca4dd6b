'use strict';

// `npm test`. The sources are CommonJS and are run as they are, so that the line
// numbers in a failure are those of the file.

const { TEST_HANGS_MS } = require('./test/helpers/hanging');

module.exports = {
  testEnvironment: 'node',
  testMatch: ['<rootDir>/test/**/*.test.js'],
  setupFilesAfterEnv: ['<rootDir>/test/helpers/setup.js'],
  testPathIgnorePatterns: ['/node_modules/', '<rootDir>/test/fixtures/'],
  modulePathIgnorePatterns: ['<rootDir>/build/', '<rootDir>/prebuilds/'],
  transform: {},
  maxWorkers: 2,
  testTimeout: TEST_HANGS_MS,
  watchman: false,
  reporters: ['default', '<rootDir>/test/helpers/run_reporter.js'],
};
