'use strict';

// The property `channel` of a child with 'ipc' in its stdio.

const { EventEmitter } = require('node:events');

/** What `child.channel` is: whether the channel keeps the event loop running. */
class ChannelReference extends EventEmitter {
  #native;
  #count = 0; // How many need the channel to keep the event loop running.
  #isExplicit = false; // ref() or unref() was called, and counts for more.

  constructor(native) {
    super();
    this.#native = native;
  }

  /** The descriptor; a negative number once the channel has closed. */
  get fd() {
    return this.#native.fd;
  }

  ref() {
    this.#isExplicit = true;
    this.#native.ref();
  }

  unref() {
    this.#isExplicit = true;
    this.#native.unref();
  }

  /** ref() for the first of many. Node has it without documenting it, and packages such as execa call it. */
  refCounted() {
    this.#count += 1;
    if (this.#count === 1 && !this.#isExplicit) this.#native.ref();
  }

  /** The opposite: unref() after the last of them. Emits 'unref' then. */
  unrefCounted() {
    this.#count -= 1;
    if (this.#count !== 0 || this.#isExplicit) return;
    this.#native.unref();
    this.emit('unref');
  }

  hasRef() {
    return this.#native.hasRef();
  }
}

module.exports = { ChannelReference };
