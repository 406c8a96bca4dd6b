'use strict';

// Loaded into a worker before its program, with `interceptListen`: node:cluster takes the
// process for a worker of its own (NODE_UNIQUE_ID), so that net.Server and dgram.Socket ask it
// for their handles, and its answers come from the cluster of pipewright.

const cluster = require('node:cluster');
const dgram = require('node:dgram');
const net = require('node:net');
const path = require('node:path');
const { isMainThread } = require('node:worker_threads');

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
  if (!isMainThread) return;
  const self = nodes.worker;
  self.disconnect = function disconnect() {
    this.exitedAfterDisconnect = true;
    interception.close();
    return this;
  };
  self.kill = self.destroy = function destroy() {
    this.exitedAfterDisconnect = true;
    process.exit();
  };
  // Node's own listener, which is the first, ends the process at once when its primary has gone;
  // this one finishes what it has. Node's channel is for process.send(), and keeps nothing running.
  const [endAtOnce] = process.rawListeners('disconnect');
  if (endAtOnce !== undefined) process.off('disconnect', /** @type {any} */ (endAtOnce));
  process.channel?.unref();
  // Ctrl-C comes to the primary as well, which lets the workers finish.
  process.on('SIGINT', () => {});
}
