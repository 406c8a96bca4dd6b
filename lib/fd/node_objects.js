'use strict';

// Finds the descriptors of Node's own objects. No other file looks into them for that.

/**
 * Returns the descriptor of a net.Socket or net.Server, a dgram.Socket, a FileHandle, a
 * stream of node:fs, or any object with a number `fd`.
 *
 * @returns {number | undefined} -1 if the object is closed; undefined for any other object
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
 * Makes a stream over one of Node's handles stop reading. Reading resumes when the caller
 * reads again.
 */
function stopReading(stream) {
  const handle = stream._handle ?? stream.handle;
  handle?.readStop?.();
  if (handle) handle.reading = false;
  stream.pause?.();
  if (!stream._readableState) return;
  stream.readableFlowing = false;
  // Otherwise the stream would wait for the read that was stopped.
  stream._readableState.reading = false;
}

module.exports = { fdOf, stopReading };
