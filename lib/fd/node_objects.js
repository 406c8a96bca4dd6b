'use strict';

// Finds the descriptors of Node's own objects. No other file looks into them for that.

const { plain } = require('../base/errors.js');

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

/**
 * Refuses a socket of Node's whose descriptor cannot go elsewhere now: what it has read, or not written,
 * would be lost.
 *
 * @throws ERR_DESCRIPTOR_UNREAD_DATA
 */
function refuseData(socket) {
  if (socket.readableLength > 0 || socket.writableLength > 0 || socket._handle?.writeQueueSize > 0) {
    throw plain('ERR_DESCRIPTOR_UNREAD_DATA');
  }
}

/**
 * Takes the handle from a net.Socket that is given away, as Node's own send() does: the
 * socket has none from then on, and its 'close' never comes.
 *
 * @returns {{ handle: any, giveBack: () => void }} giveBack: the socket goes on as before
 */
function detachHandle(socket) {
  const handle = socket._handle;
  stopReading(socket);
  const { onread } = handle;
  handle.onread = () => {};
  socket._handle = null;
  socket.setTimeout?.(0);
  releaseParser(socket);
  return {
    handle,
    giveBack() {
      handle.onread = onread;
      socket._handle = handle;
    },
  };
}

// An http server reads its connections with a parser, which would go on to time out.
function releaseParser(socket) {
  const { parser, _httpMessage: response } = socket;
  if (typeof parser?.unconsume !== 'function') return;
  parser.unconsume();
  parser.remove?.();
  socket.parser = null;
  response?.detachSocket?.(socket);
}

/** The families of a net.Socket, net.Server and dgram.Socket; undefined of anything else. */
function kindOf(object) {
  if (isDatagramSocket(object)) return 'dgram.Socket';
  if (!('_handle' in object)) return undefined;
  if (typeof object.listen === 'function' && typeof object.getConnections === 'function') return 'net.Server';
  if (typeof object.connect === 'function' && typeof object.write === 'function') return 'net.Socket';
  return undefined;
}

module.exports = { detachHandle, fdOf, isDatagramSocket, kindOf, refuseData, stopReading };
