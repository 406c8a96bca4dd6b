'use strict';

// closeOn: 'exit'. After the child has ended, a process that it started may keep the other
// end of its stdout open for any time. We read all that the child itself has written, and
// then end the stream.

const { setImmediate } = require('node:timers');

// Enough turns to read all that fits into a socket or a pipe. Later bytes were written by
// other processes.
const MAX_TURNS = 64;

/** Ends `stream` after the first turn of the event loop that found nothing to read. */
function endWithExit(stream) {
  const handle = stream._handle;
  if (!handle) return;
  const isOver = () => stream.destroyed || stream.readableEnded || stream._handle !== handle;
  afterLastRead(handle, isOver, () => {
    handle.readStop();
    stream.push(null);
    stream.read(0);
  });
}

/** Calls `end` once a turn of the event loop found nothing to read, unless `isOver` by then. */
function afterLastRead(handle, isOver, end) {
  let bytes = handle.bytesRead;
  let turns = 0;
  const look = () => {
    if (isOver()) return;
    const hasRead = turns === 0 || handle.bytesRead !== bytes;
    bytes = handle.bytesRead;
    if (hasRead && turns++ < MAX_TURNS) {
      readOn(handle);
      setImmediate(look);
      return;
    }
    end();
  };
  readOn(handle);
  setImmediate(look);
}

// Reads even if the reader wants to wait: there is no more to read than the kernel holds.
function readOn(handle) {
  handle.reading = true;
  handle.readStart();
}

module.exports = { afterLastRead, endWithExit };
