'use strict';

// closeOn: 'exit'. The child has ended, but something that it started may hold the other
// end of its stdout for as long as it likes. What the child itself has written is read
// to the last byte; then the stream ends.

const { setImmediate } = require('node:timers');

// By then all is read that fits into a socket or a pipe: the rest comes from others.
const MAX_TURNS = 64;

/** Ends `stream` as soon as a turn of the event loop found nothing in it to read. */
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

// Even where the reader wants to wait: it is no more than the kernel holds.
function readOn(handle) {
  handle.reading = true;
  handle.readStart();
}

module.exports = { afterLastRead, endWithExit };
