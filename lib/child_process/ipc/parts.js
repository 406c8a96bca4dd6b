'use strict';

// The bytes of a message whose end has not come. Both decoders keep them here.

const KEPT_AS_THEY_CAME = 16; // Parts. A Buffer costs some hundred bytes beside its own,
const JOINED_BYTES = 16 * 1024; // so shorter ones than this are joined from there on.

class Parts {
  #parts = [];
  #length = 0;
  #joined = Buffer.alloc(0); // Where short parts are joined; a view of what is in use is in #parts.
  #used = 0;

  get length() {
    return this.#length;
  }

  push(part) {
    this.#length += part.length;
    if (this.#parts.length < KEPT_AS_THEY_CAME || part.length >= JOINED_BYTES) this.#add(part);
    else this.#join(part);
  }

  #add(part) {
    this.#parts.push(part);
    this.#used = this.#joined.length; // The next short part begins a new one.
  }

  #join(part) {
    const isNew = this.#used + part.length > this.#joined.length;
    if (isNew) {
      this.#joined = Buffer.allocUnsafeSlow(JOINED_BYTES);
      this.#used = 0;
    }
    this.#joined.set(part, this.#used);
    this.#used += part.length;
    const view = this.#joined.subarray(0, this.#used);
    if (isNew) this.#parts.push(view);
    else this.#parts[this.#parts.length - 1] = view;
  }

  /** Returns all of them as one Buffer, and keeps none. */
  take() {
    const all = this.#parts.length === 1 ? this.#parts[0] : Buffer.concat(this.#parts, this.#length);
    this.#parts = [];
    this.#length = 0;
    this.#joined = Buffer.alloc(0);
    this.#used = 0;
    return all;
  }
}

module.exports = { Parts };
