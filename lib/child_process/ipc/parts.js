'use strict';

// The bytes of a message whose end has not come.

// A Buffer costs some hundred bytes beside its own. So of many parts the short ones are
// joined; a message that comes in a few pays nothing for that.
const KEPT_AS_THEY_CAME = 16; // Parts.
const JOINED_BYTES = 16 * 1024;

const NOTHING = Buffer.alloc(0);

class Parts {
  #parts = [];
  #length = 0;
  #joined = NOTHING; // The Buffer that the last short parts were copied to,
  #used = 0; // and how many bytes of it they take.

  get length() {
    return this.#length;
  }

  push(part) {
    this.#length += part.length;
    if (this.#parts.length < KEPT_AS_THEY_CAME || part.length >= JOINED_BYTES) {
      this.#endJoined();
      this.#parts.push(part);
      return;
    }
    if (this.#used + part.length > this.#joined.length) {
      this.#endJoined();
      this.#joined = Buffer.allocUnsafeSlow(JOINED_BYTES);
    }
    this.#joined.set(part, this.#used);
    this.#used += part.length;
  }

  #endJoined() {
    if (this.#used === 0) return;
    this.#parts.push(this.#joined.subarray(0, this.#used));
    this.#joined = NOTHING;
    this.#used = 0;
  }

  /** Returns all of them as one Buffer, and keeps none. */
  take() {
    this.#endJoined();
    const all = this.#parts.length === 1 ? this.#parts[0] : Buffer.concat(this.#parts, this.#length);
    this.#parts = [];
    this.#length = 0;
    return all;
  }
}

module.exports = { Parts };
