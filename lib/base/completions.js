'use strict';

// Calls the handles' methods for all that happened in this turn of the event loop. The
// list is filled by src/core/completion_queue.cc. C++ calls the rest of lib/ only this way.

// Fields of a record: number of the handle, kind, first, second.
const FIELDS = 4;

const SLAB_BITS = 16; // A slab is 64 KiB; see src/core/read_slab.h.
const OFFSET_MASK = (1 << SLAB_BITS) - 1;

const NOTHING = Buffer.alloc(0);

// Makes a Buffer that owns exactly these bytes. This way is the fastest at 64 bytes, and
// not the slowest at any size.
const copyOut = Uint8Array.prototype.slice;

const isFunction = (value) => typeof value === 'function';

// Maps each kind of record to a function (handle, first, second), with the meanings given
// in src/core/completion_queue.h. Descriptors that no callback takes are closed.
function makeHandlers(kinds, slabs, closeInBackground) {
  const handlers = [];
  const closeAll = (fds) => fds.forEach((fd) => closeInBackground(fd));
  handlers[kinds.READ] = (handle, nread, position) => {
    if (nread < 0) {
      handle.reader?.(nread, NOTHING);
      return;
    }
    const start = position & OFFSET_MASK;
    const slab = slabs[position >> SLAB_BITS];
    if (handle.viewer === undefined) handle.reader?.(nread, copyOut.call(slab, start, start + nread));
    else handle.viewer(slab, start, start + nread);
  };
  handlers[kinds.READ_SLAB] = (handle, nread, number) => {
    const slab = slabs[number];
    slabs[number] = undefined;
    handle.reader?.(nread, nread === slab.length ? slab : slab.subarray(0, nread));
  };
  handlers[kinds.READ_OWN] = (handle, nread) => handle.reader?.(nread, null);
  handlers[kinds.WRITE] = (handle, status) => handle.onwrite?.(status);
  handlers[kinds.CONNECT] = (handle, status) => handle.onconnect?.(status);
  handlers[kinds.SHUTDOWN] = (handle, status) => handle.onshutdown?.(status);
  handlers[kinds.CONNECTION] = (handle, status, fd) => {
    if (isFunction(handle.onconnection)) handle.onconnection(status, fd);
    else if (status === 0) handle.reject(fd);
  };
  handlers[kinds.EXIT] = (handle, code, signal) => handle.onexit?.(code < 0 ? null : code, signal);
  handlers[kinds.SIGNAL] = (handle, number) => handle.onsignal?.(number);
  handlers[kinds.DESCRIPTORS] = (handle) => {
    const fds = handle.takeDescriptors();
    if (isFunction(handle.ondescriptors)) handle.ondescriptors(fds);
    else closeAll(fds);
  };
  handlers[kinds.MESSAGES] = (handle) => {
    const messages = handle.takeMessages();
    if (isFunction(handle.onmessages)) handle.onmessages(messages);
    else messages.forEach(({ descriptors }) => closeAll(descriptors));
  };
  handlers[kinds.SENT] = (handle, count, status) => handle.onsent?.(count, status);
  handlers[kinds.ROOM] = (handle, hasRoom) => handle.onroom?.(hasRoom === 1);
  handlers[kinds.CHOICE] = (handle) => handle.onchoice?.();
  handlers[kinds.CONNECTIONS] = (handle) => handle.onconnections?.();
  handlers[kinds.CLOSE] = (handle) => {
    try {
      handle.onclose?.();
    } finally {
      handle.asyncScope.emitDestroy();
    }
  };
  return handlers;
}

/**
 * Makes the function that C++ calls once for each crossing. If a handler throws, the
 * function ends, and C++ calls it again to continue after that handler's record.
 *
 * @param {{ records: Int32Array, cursor: Int32Array, handles: any[], slabs: Buffer[] }} events
 * @param {Record<string, number>} kinds
 * @param {(fd: number) => number} closeInBackground of the addon
 */
function createDispatch({ records, cursor, handles, slabs }, kinds, closeInBackground) {
  const handlers = makeHandlers(kinds, slabs, closeInBackground);
  return function dispatch() {
    while (cursor[0] < cursor[1]) {
      const at = cursor[0];
      cursor[0] = at + FIELDS;
      const handler = handlers[records[at + 1]];
      if (handler === undefined) continue; // The handle was closed in the meantime.
      const handle = handles[records[at]];
      if (handler === handlers[kinds.CLOSE] && handle.onclose === undefined) {
        handle.asyncScope.emitDestroy(); // Nothing runs in its context, so Node does not enter it either.
        continue;
      }
      handle.asyncScope.runInAsyncScope(handler, null, handle, records[at + 2], records[at + 3]);
    }
  };
}

module.exports = { createDispatch };
