'use strict';

// Messages that a child has sent, until something listens to 'message'.

const { Queue } = require('../../base/queue.js');
const { closeAll } = require('../../fd/descriptor.js');

const MAX_UNASKED = 16; // Descriptors among them that came with a message which does not announce any.
const MAX_HANDLES = 16;

class HeldMessages {
  #child;
  #onHandleTaken;
  #held = new Queue(); // { message, handles, unasked, isHandle }
  #unasked = 0;
  #handles = 0;
  #isFlushing = false;

  /**
   * @param {any} child whose 'message' events these are
   * @param {() => void} onHandleTaken called when something gets a handle that was held
   */
  constructor(child, onHandleTaken) {
    this.#child = child;
    this.#onHandleTaken = onHandleTaken;
    this.watchListeners();
  }

  /** Has them delivered once something listens. removeAllListeners() of the child ends that. */
  watchListeners() {
    if (this.#child.listeners('newListener').includes(this.#onNewListener)) return;
    this.#child.on('newListener', this.#onNewListener);
  }

  #onNewListener = (name) => {
    if (name === 'message') this.#flushLater();
  };

  /** Reports whether a message that comes now has to wait. */
  get mustHold() {
    return this.#held.length > 0 || this.#child.listenerCount('message') === 0;
  }

  /** Reports whether the sender of handles is to wait. */
  get isFull() {
    return this.#handles >= MAX_HANDLES;
  }

  /**
   * @param {any} message
   * @param {any[]} handles
   * @param {boolean} isHandle the first of them was announced; more than 16 others that wait are closed
   */
  hold(message, handles, isHandle) {
    const unasked = handles.length - (isHandle ? 1 : 0);
    const tooMany = Math.max(0, this.#unasked + unasked - MAX_UNASKED);
    if (tooMany > 0) closeAll(handles.splice(-tooMany));
    this.#unasked += unasked - tooMany;
    if (isHandle) this.#handles += 1;
    this.#held.push({ message, handles, unasked: unasked - tooMany, isHandle });
    if (this.#child.listenerCount('message') > 0) this.#flushLater();
  }

  #flushLater() {
    if (this.#held.length === 0 || this.#isFlushing) return;
    this.#isFlushing = true;
    process.nextTick(() => this.#flush());
  }

  // One a tick, so that who awaits one of them does not miss the next.
  #flush() {
    this.#isFlushing = false;
    if (this.#child.listenerCount('message') === 0) return;
    const { message, handles, unasked, isHandle } = this.#held.shift();
    this.#unasked -= unasked;
    if (isHandle) {
      this.#handles -= 1;
      this.#onHandleTaken();
    }
    this.#flushLater();
    emitMessage(this.#child, 'message', message, handles);
  }
}

/** Emits 'message' or 'internalMessage', and returns whether something listens. */
function emitMessage(child, event, message, handles) {
  if (handles.length === 0) return child.emit(event, message, undefined);
  return child.emit(event, message, ...handles);
}

module.exports = { HeldMessages, emitMessage };
