'use strict';

// Node's own objects: where each kind keeps its descriptor. No other file looks into
// them.

/**
 * The descriptor of a net.Socket or net.Server, a dgram.Socket, a FileHandle, a stream
 * of node:fs, or any object with a number `fd`.
 *
 * @returns {number | undefined} -1 of one that is closed; undefined of anything else
 */
function fdOf(object) {
  if (isDatagramSocket(object)) return datagramFd(object);
  const handle = object._handle;
  if (typeof handle?.fd === 'number') return handle.fd;
  if (handle === null) return -1;
  return typeof object.fd === 'number' ? object.fd : undefined;
}

// A dgram.Socket warns if its _handle is read.
const isDatagramSocket = ({ type, setMulticastTTL }) =>
  (type === 'udp4' || type === 'udp6') && typeof setMulticastTTL === 'function';

function datagramFd(socket) {
  const state = Object.getOwnPropertySymbols(socket).find(({ description }) => description === 'state symbol');
  return socket[state]?.handle?.fd ?? -1;
}

/**
 * Stops the reading of a stream over one of Node's handles. It goes on when the caller
 * reads again.
 */
function stopReading(stream) {
  const handle = stream._handle ?? stream.handle;
  handle?.readStop?.();
  if (handle) handle.reading = false;
  stream.pause?.();
  if (!stream._readableState) return;
  stream.readableFlowing = false;
  // Else the stream would wait for the read that was stopped.
  stream._readableState.reading = false;
}

module.exports = { fdOf, stopReading };
