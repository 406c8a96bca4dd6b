'use strict';

// What a handler of requests returns to send descriptors with its reply.

class Reply {
  #isOurs = true;

  constructor(message, descriptors, keep) {
    this.message = message;
    this.descriptors = descriptors;
    this.keep = keep;
    Object.freeze(this);
  }

  static isReply(value) {
    return typeof value === 'object' && value !== null && #isOurs in value;
  }
}

module.exports = { Reply };
