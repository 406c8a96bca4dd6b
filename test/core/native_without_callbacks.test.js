'use strict';

// Handles whose callbacks for descriptors are absent, as types/binding.d.ts allows: what
// comes is closed, and nothing throws.

const { Listener, MessageSocket, PipeWrap, closeFd, pipe, socketPair } = require('../../lib/base/binding');
const { closing } = require('../helpers/closing');
const { socketPath } = require('../helpers/socket_path');

const UV_EOF = -4095;
const TYPES = { stream: 1, datagram: 2, seqpacket: 5 };

function owned(handle) {
  closing(() => new Promise((resolve) => handle.close(resolve)));
  return handle;
}

function opened(handle, fd) {
  expect(owned(handle).open(fd)).toBe(0);
  return handle;
}

/** Resolves with what ends reading. */
function endOf(handle) {
  return new Promise((resolve) => {
    handle.onread = (nread) => nread < 0 && resolve(nread);
    handle.readStart();
  });
}

describe.each(Object.entries(TYPES))('descriptors that a %s socket received', (_, type) => {
  test.each([undefined, null])('are closed where the callbacks are %p', async (callback) => {
    const [a, b] = socketPair(type).map((fd) => opened(new MessageSocket(), fd));
    const [readEnd, writeEnd] = pipe();
    const reader = opened(new PipeWrap(), readEnd);
    expect(a.send(Buffer.from('x'), Int32Array.of(writeEnd, writeEnd))).toBe(0);
    closeFd(writeEnd);
    Object.assign(b, { ondescriptors: callback, onmessages: callback });
    const ended = endOf(reader); // All copies of the pipe's other end are closed.
    expect(b.readStart()).toBe(0);
    expect(await ended).toBe(UV_EOF);
  });
});

test.each([undefined, null])('a connection is closed where onconnection is %p', async (callback) => {
  const listener = owned(new Listener());
  Object.assign(listener, { onconnection: callback });
  const path = socketPath();
  expect(listener.listenOnPath({ path })).toBe(0);
  const client = owned(new PipeWrap());
  client.onconnect = (status) => expect(status).toBe(0);
  expect(client.connect(path)).toBe(0);
  expect(await endOf(client)).toBe(UV_EOF);
});
