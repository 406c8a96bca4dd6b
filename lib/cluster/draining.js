'use strict';

// How a server of http, https or http2 ends in a worker that stops, so that no client comes to harm. A
// client may send a request at any moment on a connection that was kept alive, so such a
// connection cannot just be closed.
//
//   between two requests, or not used yet ----> moves to another worker; with TLS it stays
//   a request is open, or begins --> answered with `Connection: close`; if the head of the
//                                    answer was sent before, it moves once it is answered

const { subscribe } = require('node:diagnostics_channel');

const NO_ERROR = 0;
const LAST_STREAM = 2 ** 31 - 1; // The highest number of a stream: no request is refused.

/** For one server, from when it is served. */
class HttpDraining {
  #server;
  #isTls;
  #closeIdle; // The server's own method.
  #sockets = new Set();
  #resumed = null; // Sockets that have moved here, and had no request yet.
  #isStopping = false;
  #announced = new WeakMap(); // For each socket, the response that announces its end.
  #move = null;
  #willSweep = false;

  /** @param {any} server of http or https */
  constructor(server) {
    this.#server = server;
    this.#closeIdle = server.closeIdleConnections;
    this.#isTls = typeof server.setSecureContext === 'function';
    if (this.#isTls) return;
    server.on('connection', (socket) => {
      this.#sockets.add(socket);
      socket.once('close', () => this.#sockets.delete(socket));
    });
  }

  /** @param {() => void} count called for each request that begins */
  countRequests(count) {
    subscribe('http.server.request.start', ({ server }) => {
      if (server === this.#server) count();
    });
  }

  /**
   * Gives the server a connection that has moved here. Node would give its client as long as a new
   * one has to send a request; until then it has the time of one that is kept alive.
   *
   * @param {() => void} accept makes the server emit 'connection' now, unless it refuses it
   */
  resume(accept) {
    const server = this.#server;
    if (this.#resumed === null) {
      this.#resumed = new WeakSet();
      subscribe('http.server.request.start', ({ socket }) => {
        if (this.#resumed.delete(socket)) socket.setTimeout(server.timeout);
      });
    }
    const onConnection = (socket) => {
      if (!(server.keepAliveTimeout > 0)) return;
      this.#resumed.add(socket);
      socket.setTimeout(server.keepAliveTimeout + (server.keepAliveTimeoutBuffer ?? 0));
    };
    server.on('connection', onConnection);
    try {
      accept();
    } finally {
      server.removeListener('connection', onConnection);
    }
  }

  /**
   * May be called again with null.
   *
   * @param {((sockets: any[]) => void) | null} move moves connections to other workers; with
   *   null, those that are idle are closed
   */
  stop(move) {
    this.#move = move;
    if (!this.#isStopping) this.#begin();
    this.#closeServer();
    this.#sweep();
  }

  #begin() {
    this.#isStopping = true;
    for (const socket of this.#sockets) {
      const { parser, _httpMessage: response } = socket;
      // If a client does not wait for responses, only the last request may end its connection.
      if (response && parser?.incoming === response.req) this.#announceEnd(socket, response);
    }
    subscribe('http.server.request.start', ({ server, socket, response }) => {
      if (server === this.#server) this.#announceEnd(socket, response);
    });
    subscribe('http.server.response.finish', ({ server }) => {
      if (server === this.#server) this.#sweepSoon();
    });
  }

  #announceEnd(socket, response) {
    if (response.headersSent) return;
    const before = this.#announced.get(socket);
    if (before !== undefined && !before.headersSent) before.removeHeader('Connection');
    this.#announced.set(socket, response);
    response.setHeader('Connection', 'close');
  }

  // close() of Node's closes the idle ones first.
  #closeServer() {
    const server = this.#server;
    if (!server.listening) return;
    const own = Object.getOwnPropertyDescriptor(server, 'closeIdleConnections');
    if (this.#move !== null) server.closeIdleConnections = () => {};
    server.close();
    delete server.closeIdleConnections;
    if (own !== undefined) Object.defineProperty(server, 'closeIdleConnections', own);
  }

  // A response finishes before its connection is free.
  #sweepSoon() {
    if (this.#willSweep) return;
    this.#willSweep = true;
    setImmediate(() => {
      this.#willSweep = false;
      this.#sweep();
    });
  }

  #sweep() {
    if (this.#move === null) this.#closeIdle.call(this.#server);
    else if (!this.#isTls) this.#move(this.#idleSockets());
  }

  // Only the server's parsers know whether part of a request has been read. The one way to ask
  // them is to have the idle connections closed: their destroy() only notes them here.
  #idleSockets() {
    const idle = [];
    const asked = [...this.#sockets].filter((socket) => !Object.hasOwn(socket, 'destroy'));
    for (const socket of asked) {
      socket.destroy = () => {
        idle.push(socket);
        return socket;
      };
    }
    this.#closeIdle.call(this.#server);
    for (const socket of asked) delete socket.destroy;
    for (const socket of asked) if (isFresh(socket)) idle.push(socket);
    return [...new Set(idle)].filter(isMovable);
  }
}

const isFresh = ({ bytesRead, bytesWritten }) => bytesRead === 0 && bytesWritten === 0;

// A socket of an upgraded connection has no parser.
function isMovable(socket) {
  const { parser, _handle: handle, _httpMessage: response, destroyed, writable } = socket;
  if (!parser || !handle || response || destroyed || !writable) return false;
  return socket.readableLength === 0 && socket.writableLength === 0 && handle.writeQueueSize === 0;
}

const sayGoodbye = (session) => session.goaway(NO_ERROR, LAST_STREAM);

/**
 * For a server of http2: tells the clients of their sessions' end. They begin no more requests, and
 * close when those that are open have ended; a request that is on its way is answered.
 */
class Http2Draining {
  #sessions = new Set();
  #isStopping = false;

  constructor(server) {
    server.on('session', (session) => {
      this.#sessions.add(session);
      session.once('close', () => this.#sessions.delete(session));
      if (this.#isStopping) sayGoodbye(session); // Its handshake of TLS has taken so long.
    });
  }

  stop() {
    this.#isStopping = true;
    for (const session of this.#sessions) if (!session.destroyed) sayGoodbye(session);
  }
}

const isHttp = (server) => typeof server.closeIdleConnections === 'function' && 'keepAliveTimeout' in server;

module.exports = { Http2Draining, HttpDraining, isHttp };
