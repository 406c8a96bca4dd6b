'use strict';

// The serialization 'json' of a channel: each message is a line of UTF-8, made by
// JSON.stringify() and ended by "\n".

const { invalidArgValue } = require('../../base/errors.js');
const { MessageDecoder } = require('./message_decoder.js');

const LINE_END = 0x0a;

/**
 * @returns {string}
 * @throws what JSON.stringify() throws; ERR_INVALID_ARG_VALUE if the message has no JSON form,
 *   which would be a line that the child cannot parse
 */
function encode(message) {
  const text = JSON.stringify(message);
  if (text === undefined) throw invalidArgValue('message', message, 'has no JSON form');
  return `${text}\n`;
}

/** Finds the lines in the bytes that come. */
class Decoder extends MessageDecoder {
  /** @throws ERR_IPC_MESSAGE_TOO_LONG */
  push(chunk) {
    let start = 0;
    for (let end = chunk.indexOf(LINE_END); end >= 0; end = chunk.indexOf(LINE_END, start)) {
      this.#line(chunk, start, end);
      start = end + 1;
    }
    if (start < chunk.length) this.#keep(start === 0 ? chunk : chunk.subarray(start));
  }

  #keep(part) {
    this.checkLength(this.parts.length + part.length);
    this.parts.push(part);
  }

  #line(chunk, start, end) {
    this.checkLength(this.parts.length + end - start);
    let text;
    if (this.parts.length === 0) {
      text = chunk.utf8Slice(start, end);
    } else {
      this.parts.push(chunk.subarray(0, end));
      text = this.parts.take().toString();
    }
    this.report(JSON.parse, text, end + 1);
  }
}

module.exports = { Decoder, encode };
