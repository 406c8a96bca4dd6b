'use strict';

// Finds the lock that `replaceStale` takes, and the process that holds it, for the error of
// a listen() that does not get it. Any user who may read a directory such as /tmp can hold
// its lock for ever.

const fs = require('node:fs');
const path = require('node:path');

/** Like LockFor() in src/net/unix_listen.cc: the directory, or, if it may not be read, a file beside the socket. */
function lockOf(socketPath) {
  const directory = path.dirname(socketPath);
  try {
    fs.accessSync(directory, fs.constants.R_OK);
    return directory;
  } catch {
    return `${socketPath}.lock`;
  }
}

/** @returns {number | undefined} the pid of the holder, if /proc/locks lists it */
function holderOf(lock) {
  try {
    const { ino } = fs.statSync(lock);
    const isIts = (line) => line.includes(' FLOCK ') && line.includes(`:${ino} `);
    const pid = fs.readFileSync('/proc/locks', 'latin1').split('\n').find(isIts)?.trim().split(/\s+/)[4];
    return Number(pid) > 0 ? Number(pid) : undefined;
  } catch {
    return undefined;
  }
}

module.exports = { holderOf, lockOf };
