'use strict';

// From the bytes that a peer has sent to messages with their descriptors: frames, then the
// serialization. Whatever the bytes are, the outcome is messages, an end or an error.

const { channelProtocol, undecodable } = require('../base/errors.js');
const { closeAll } = require('../fd/descriptor.js');
const { CLOSE, ERROR, FrameReader, RECORDS } = require('./framing.js');
const { readRecords } = require('./records.js');
const codecs = require('./serialization.js');

const NONE = Object.freeze([]);
const END = Symbol('end'); // In place of an error: the peer has closed the channel.
const OURS = new Set(['ERR_CHANNEL_PROTOCOL', 'ERR_CHANNEL_MESSAGE_TOO_LARGE']);

class Decoder extends FrameReader {
  /**
   * @param {any} options of normalizeChannelOptions()
   * @param {(kind: number, id: number, message: any, descriptors: readonly any[], size: number) => void} onMessage
   */
  constructor(options, onMessage) {
    const codec = codecs[options.serialization];
    super(options, (kind, encoding, id, bytes, start, end, isOwn, descriptors = NONE) => {
      if (kind === CLOSE) {
        closeAll(descriptors);
        return END;
      }
      const expected = kind === ERROR ? codecs.json : codec;
      try {
        checkEncoding(kind, encoding, expected);
        if (kind === RECORDS) onRecords(bytes, start, end, descriptors, options.maxMessageBytes, onMessage);
        else onMessage(kind, id, expected.decode(bytes, start, end, isOwn), descriptors, end - start);
        return undefined;
      } catch (error) {
        closeAll(descriptors);
        return OURS.has(error?.code) ? error : undecodable(error);
      }
    });
  }
}

function checkEncoding(kind, encoding, codec) {
  if (encoding === codec.number && (kind !== RECORDS || codec === codecs.advanced)) return;
  throw channelProtocol(`serialization ${encoding} of a frame of kind ${kind}, where this side has ${codec.number}`);
}

function onRecords(bytes, start, end, descriptors, maxBytes, onMessage) {
  if (descriptors.length > 0) throw channelProtocol('descriptors with a frame of records');
  readRecords(bytes, start, end, maxBytes, (kind, id, message, size) => onMessage(kind, id, message, NONE, size));
}

module.exports = { Decoder, END };
