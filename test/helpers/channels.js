'use strict';

// Channels for tests, and peers that speak their frames by themselves.

const { Channel } = require('../../lib/channel');
const { socketpair } = require('../../lib/descriptors');
const { closing } = require('./closing');

const KINDS = { message: 1, request: 2, reply: 3, error: 4, close: 5, records: 6 };
const ENCODINGS = { none: 0, json: 1, advanced: 2, raw: 3 };

/** Two channels, connected to each other. */
function channelPair(options) {
  return socketpair().map((end) => closing(new Channel(end, options)));
}

/** A channel, and the other end of its socket as a Socket. */
function channelAndSocket(options) {
  const [ours, theirs] = socketpair();
  const socket = closing(theirs.toSocket({ descriptors: true, allowHalfOpen: true }));
  socket.on('error', () => {}); // The channel may end with something of it unread.
  return [closing(new Channel(ours, options)), socket];
}

/** One frame, as docs/channel.md has it. */
function frame(kind, payload = '', { id, encoding = 'json', descriptors = 0, last = 0 } = {}) {
  const body = Buffer.from(payload);
  const idBytes = Buffer.alloc(id === undefined ? 0 : 4);
  if (id !== undefined) idBytes.writeUInt32LE(id);
  const header = Buffer.alloc(8);
  header.writeUInt32LE(idBytes.length + body.length, 0);
  header.set([KINDS[kind] ?? kind, ENCODINGS[encoding] ?? encoding, descriptors, last], 4);
  return Buffer.concat([header, idBytes, body]);
}

/** The frames in a buffer, and the bytes that are left over. */
function parseFrames(bytes) {
  const frames = [];
  let at = 0;
  while (bytes.length - at >= 8) {
    const end = at + 8 + bytes.readUInt32LE(at);
    if (bytes.length < end) break;
    const kind = Object.keys(KINDS)[bytes[at + 4] - 1];
    const hasId = ['request', 'reply', 'error'].includes(kind);
    const id = hasId ? bytes.readUInt32LE(at + 8) : undefined;
    const payload = bytes.subarray(at + (hasId ? 12 : 8), end);
    frames.push({ kind, encoding: bytes[at + 5], descriptors: bytes[at + 6], id, payload });
    at = end;
  }
  return { frames, rest: bytes.subarray(at) };
}

/** @returns {Promise<{ message: any, descriptors: any[] }[]>} the next messages, in order */
async function messagesOf(channel, count) {
  const list = [];
  if (count === 0) return list;
  for await (const received of channel) {
    list.push(received);
    if (list.length === count) break;
  }
  return list;
}

/** @returns {Promise<Error | null>} the reason of its 'close' */
function closeOf(channel) {
  return new Promise((resolve) => channel.once('close', resolve));
}

module.exports = { channelAndSocket, channelPair, closeOf, frame, messagesOf, parseFrames };
