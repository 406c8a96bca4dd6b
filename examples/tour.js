'use strict';

// `npm start`: what pipewright does, shown on real sockets and real processes, a
// chapter each. Ends with status 0 when everything was as it should be, and with
// status 1 and a line that says what was not.

const fs = require('node:fs');
const path = require('node:path');

// In this order; a chapter whose file is not there yet is left out.
const CHAPTERS = [
  ['echo.js', 'An echo server on a path, and 50 clients in another process'],
  ['server.js', 'A server over a path: its mode, its predecessor, its callers'],
  ['spawn.js', 'Child processes'],
  ['descriptors.js', 'Descriptors on their way to other processes'],
  ['messages.js', 'Messages to Python, and to a plain Node child'],
  ['cluster.js', 'Clusters: a worker that is killed, and all replaced, under load'],
];

const CHAPTER_LIMIT = 60_000; // Milliseconds; the longest takes some seconds.
const END_LIMIT = 5_000; // For the process to end by itself after the last one.

let state = 'before the first chapter';

function say(line) {
  console.log(`   ${line}`);
}

function fail(error) {
  console.error(`\nTour: FAILED ${state}: ${error?.message ?? error}`);
  if (error?.stack) console.error(error.stack);
  process.exit(1);
}

// The timer alone does not keep the process: what has nothing to wait for ends at once.
function failAfter(limit, message) {
  return setTimeout(() => fail(message), limit).unref();
}

async function tour() {
  const began = Date.now();
  const chapters = CHAPTERS.filter(([file]) => fs.existsSync(path.join(__dirname, 'tour', file)));
  for (const [i, [file, title]] of chapters.entries()) {
    state = `in examples/tour/${file}`;
    console.log(`\n${i + 1}. ${title}`);
    const timer = failAfter(CHAPTER_LIMIT, `not done after ${CHAPTER_LIMIT / 1000} s`);
    await require(`./tour/${file}`)(say);
    clearTimeout(timer);
  }
  state = 'after the last chapter';
  const seconds = ((Date.now() - began) / 1000).toFixed(1);
  console.log(`\nAll as it should be, after ${seconds} s.`);
  // Nothing is left that would keep the process: it ends by itself.
  failAfter(END_LIMIT, 'something is still open, so that the process does not end');
}

process.on('uncaughtException', fail);
// A promise that nothing will settle any more ends a process quietly.
process.on('exit', (status) => {
  if (status === 0 && state !== 'after the last chapter') fail('the program ended in the middle');
});
tour().catch(fail);
