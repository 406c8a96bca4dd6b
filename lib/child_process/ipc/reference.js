'use strict';

// The property `channel` of a child with 'ipc' in its stdio.

const { EventEmitter } = require('node:events');

/** What `child.channel` is: whether the channel keeps the event loop running. */
class ChannelReference extends EventEmitter {
  #native;

  constructor(native) {
    super();
    this.#native = native;
  }

  /** The descriptor; a negative number once the channel has closed. */
  get fd() {
    return this.#native.fd;
  }

  ref() {
    this.#native.ref();
  }

  unref() {
    this.#native.unref();
  }

  hasRef() {
    return this.#native.hasRef();
  }
}

module.exports = { ChannelReference };
