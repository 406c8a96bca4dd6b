'use strict';

// Gathers what a child writes to its stdout and stderr, up to a limit.

class Collector {
  #stream;
  #chunks = [];
  #bytes = 0;
  #encoding;
  #listener;

  /**
   * @param {import('node:stream').Readable} stream
   * @param {{ encoding: BufferEncoding | null, maxBuffer: number, onOverflow: () => void }} options
   *   maxBuffer in bytes; onOverflow is called for a chunk that exceeds it
   */
  constructor(stream, { encoding, maxBuffer, onOverflow }) {
    this.#stream = stream;
    this.#encoding = encoding;
    if (encoding) stream.setEncoding(encoding);
    this.#listener = (chunk) => this.#add(chunk, maxBuffer, onOverflow);
    stream.on('data', this.#listener);
  }

  #add(chunk, maxBuffer, onOverflow) {
    // The caller may have called setEncoding() too.
    const { readableEncoding } = this.#stream;
    const bytes = readableEncoding ? Buffer.byteLength(chunk, readableEncoding) : chunk.length;
    const room = maxBuffer - this.#bytes;
    this.#bytes += bytes;
    if (bytes <= room) {
      this.#chunks.push(chunk);
      return;
    }
    this.#chunks.push(chunk.slice(0, Math.max(room, 0)));
    onOverflow();
  }

  /** @returns {string | Buffer} the output so far */
  contents() {
    const isText = this.#encoding || this.#stream.readableEncoding;
    return isText ? this.#chunks.join('') : Buffer.concat(this.#chunks);
  }

  /** Returns the output so far, and stops gathering: the caller reads the stream. */
  release() {
    const contents = this.contents();
    this.#stream.off('data', this.#listener);
    this.#stream.pause();
    this.#chunks = [];
    return contents;
  }
}

/** The output of a child on stdout and stderr. */
class Output {
  #collectors = {};
  #encoding;

  /**
   * @param {import('./child.js').ChildProcess} child
   * @param {{ encoding: BufferEncoding | null, maxBuffer: number }} options
   * @param {(name: 'stdout' | 'stderr') => void} onOverflow called for a chunk that exceeds maxBuffer
   */
  constructor(child, { encoding, maxBuffer }, onOverflow) {
    this.#encoding = encoding;
    for (const name of /** @type {const} */ (['stdout', 'stderr'])) {
      if (!child[name]) continue;
      const options = { encoding, maxBuffer, onOverflow: () => onOverflow(name) };
      this.#collectors[name] = new Collector(child[name], options);
    }
  }

  /** Returns the output so far; empty if the child has no such stream. */
  contents(name) {
    return this.#collectors[name]?.contents() ?? (this.#encoding ? '' : Buffer.alloc(0));
  }

  /** Returns stdout so far, and stops gathering it: the caller reads the stream. */
  releaseStdout() {
    return this.#collectors.stdout.release();
  }
}

module.exports = { Output };
