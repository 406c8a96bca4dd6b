'use strict';

// Loaded into a worker before its program, with `interceptListen`: node:cluster takes the
// process for a worker of its own (NODE_UNIQUE_ID), so that net.Server and dgram.Socket ask it
// for their handles, and its answers come from the cluster of pipewright.

const cluster = require('node:cluster');
const dgram = require('node:dgram');
const net = require('node:net');
const path = require('node:path');

const { closeAll } = require('../fd/descriptor.js');
const { Interception } = require('./interception.js');
const { worker } = require('./worker.js');

/** @type {any} */
const nodes = cluster;
const isPath = ({ port, address }) => port < 0 && typeof address === 'string' && address[0] !== '\0';

if (worker.isWorker) install();

function install() {
  const interception = new Interception(worker);
  nodes._getServer = (server, query, callback) => {
    // The program may be in another folder than the primary.
    const address = isPath(query) ? path.resolve(query.address) : query.address;
    interception.getServer(server, { ...query, address }, callback);
  };
  listenExclusively(interception);
  bindExclusively(interception);
  behaveAsWorker(interception);
  exchangeMessages();
}

// A server that asks for no handle listens by itself: `exclusive`, or `reusePort`.
function listenExclusively(interception) {
  const prototype = /** @type {any} */ (net.Server.prototype);
  const { _listen2: listen } = prototype;
  prototype._listen2 = function _listen2(...args) {
    if (this._handle === null) interception.addExclusive(this);
    return listen.apply(this, args);
  };
}

// Each worker binds its own UDP socket: the primary takes part in connections only.
function bindExclusively(interception) {
  const { bind } = dgram.Socket.prototype;
  /** @this {dgram.Socket} */
  dgram.Socket.prototype.bind = function exclusiveBind(...args) {
    const [first, second] = args;
    if (typeof first?.recvStart === 'function') return bind.apply(this, /** @type {any} */ (args)); // A handle.
    const isObject = typeof first === 'object' && first !== null;
    const options = isObject ? first : { port: first, address: typeof second === 'function' ? undefined : second };
    const callback = args.at(-1);
    interception.addExclusive(this);
    return bind.call(this, { ...options, exclusive: true }, typeof callback === 'function' ? callback : undefined);
  };
}

// What a program may ask of node:cluster in a worker, beside listening.
function behaveAsWorker(interception) {
  if (nodes.worker === undefined || nodes.worker === null) nodes._setupWorker(); // As Node does on the main thread.
  delete process.env.NODE_UNIQUE_ID; // What the program starts is no worker.
  const self = nodes.worker;
  self.disconnect = function disconnect() {
    this.exitedAfterDisconnect = true;
    interception.disconnect();
    return this;
  };
  self.kill = self.destroy = function destroy() {
    this.exitedAfterDisconnect = true;
    process.exit();
  };
}

// The channel of Node's workers is that of the programs' messages: process.send() is worker.send().
function exchangeMessages() {
  const onMessage = (message, [descriptor, ...others]) => {
    closeAll(others); // Node's 'message' has one.
    process.emit('message', message, descriptor);
  };
  const takers = [process, nodes.worker];
  // Node's own listener hands what comes to process on to cluster.worker.
  const isWanted = () => process.listenerCount('message') > 1 || nodes.worker.listenerCount('message') > 0;
  const update = () => {
    worker.off('message', onMessage);
    if (isWanted()) worker.on('message', onMessage);
  };
  for (const taker of takers) {
    for (const event of ['newListener', 'removeListener']) {
      // 'newListener' comes before the listener is there.
      taker.on(event, (name) => name === 'message' && queueMicrotask(update));
    }
  }
  process.send = send;
  Object.defineProperty(process, 'connected', { configurable: true, enumerable: true, get: () => worker.isOpen });
}

// With the arguments of Node's: (message[, handle[, options]][, callback]).
function send(message, ...rest) {
  const callback = rest.findLast((each) => typeof each === 'function');
  const handle = typeof rest[0] === 'function' ? undefined : rest[0];
  const sent = worker.sent(message, handle ? [handle] : undefined);
  sent.then(
    () => callback?.(null),
    (error) => (callback === undefined ? process.emitWarning(error) : callback(error)),
  );
  return true;
}
