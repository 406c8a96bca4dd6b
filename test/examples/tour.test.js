'use strict';

// `npm start`: examples/tour.js ends by itself, and says so when something is wrong.

const { execFile } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');
const { closing } = require('../helpers/closing');
const { temporaryFolder } = require('../helpers/socket_path');

const EXAMPLES = path.join(__dirname, '../../examples');

function runTour(folder) {
  return new Promise((resolve) => {
    const child = execFile(process.execPath, [path.join(folder, 'tour.js')], (error, stdout, stderr) =>
      resolve({ status: error === null ? 0 : error.code, stdout, stderr }),
    );
    closing(child);
  });
}

// The tour with another chapter in place of its own ones.
function tourWith(chapter) {
  const folder = temporaryFolder();
  fs.copyFileSync(path.join(EXAMPLES, 'tour.js'), path.join(folder, 'tour.js'));
  fs.mkdirSync(path.join(folder, 'tour'));
  fs.writeFileSync(path.join(folder, 'tour/echo.js'), chapter);
  return runTour(folder);
}

test('runs every chapter and ends with status 0', async () => {
  const { status, stdout, stderr } = await runTour(EXAMPLES);
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  expect(stdout).toMatch(/100 000 replies, 6 400 000 bytes, each compared with its message: all equal/);
  expect(stdout).toMatch(/srw-rw---- 0660/);
  expect(stdout.match(/requests of 25 clients; all 50 were answered, none by it/g)).toHaveLength(2);
  expect(stdout.match(/reload\(\): .* \d+ requests, no error/g)).toHaveLength(2);
  expect(stdout).toMatch(/All as it should be/);
});

test.each([
  ['that fails', "module.exports = async () => { throw new Error('no good'); };", 'no good'],
  [
    'that throws later',
    "module.exports = () => new Promise(() => setImmediate(() => { throw new Error('late'); }));",
    'late',
  ],
  ['whose promise is never settled', 'module.exports = () => new Promise(() => {});', 'ended in the middle'],
])('with a chapter %s ends with status 1 and says so', async (_, chapter, message) => {
  const { status, stderr } = await tourWith(chapter);
  expect(status).toBe(1);
  expect(stderr).toMatch(`Tour: FAILED in examples/tour/echo.js: `);
  expect(stderr).toMatch(message);
});
