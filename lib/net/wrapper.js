'use strict';

// Node's own wrapper around a stream that is not its own: TLS and http2 read and write a
// socket of ours through it. It ends the socket when TLS has written all, so the socket
// must not end itself at the end of what it reads.

const { Duplex } = require('node:stream');

const { kWrapped } = require('./symbols.js');

/**
 * Reports whether such a wrapper reads this socket. The first call must come at 'end' or
 * before: the wrapper's listener, by which it is recognised, is removed then.
 */
function isWrappedByNode(socket) {
  socket[kWrapped] ||= hasEndListenerOfNode(socket);
  return socket[kWrapped];
}

function hasEndListenerOfNode(socket) {
  return socket.rawListeners('end').some(({ listener }) => isUnnamed(listener) && isEndListenerOfNode(listener));
}

// A quick check before the next one, which loads node:tls.
const isUnnamed = (listener) => typeof listener === 'function' && listener.name === '';

let textOfNode;

// Only its listeners reveal the wrapper. To know them, this makes a wrapper of the running
// Node: functions made in the same place of Node's source have the same text.
function isEndListenerOfNode(listener) {
  textOfNode ??= endListenerText();
  return Function.prototype.toString.call(listener) === textOfNode;
}

function endListenerText() {
  let tls;
  try {
    tls = require('node:tls');
  } catch {
    return ''; // This Node has no crypto, so there is no such wrapper.
  }
  const stream = new Duplex({ read() {}, write: (_chunk, _encoding, callback) => callback() });
  // Without the authorities that Node trusts, which take milliseconds to load.
  const secureContext = tls.createSecureContext({ ca: [] });
  const socket = new tls.TLSSocket(stream, { isServer: true, secureContext });
  const [listener] = stream.listeners('end');
  socket.destroy();
  return listener === undefined ? '' : Function.prototype.toString.call(listener);
}

module.exports = { isWrappedByNode };
