'use strict';

// The status page of a cluster (option `statusPage`): an HTTP server on a path or a loopback port,
// which gives what stats() says, and a page that shows it (status_page/).

const fs = require('node:fs');
const http = require('node:http');
const path = require('node:path');

const { createServer } = require('../net/index.js');
const { inheritance } = require('./inherited.js');

const RETRY = 500; // Milliseconds between two attempts at an address that another process has.
const LOOPBACK_NAMES = new Set(['localhost', '127.0.0.1', '[::1]']);

// No answer loads anything from elsewhere, is kept, or is shown inside another page.
const HEADERS = {
  'Content-Security-Policy':
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; " +
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  'Cache-Control': 'no-store',
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Referrer-Policy': 'no-referrer',
  'X-Content-Type-Options': 'nosniff',
};

const FILES = {
  '/': ['index.html', 'text/html; charset=utf-8'],
  '/page.css': ['page.css', 'text/css; charset=utf-8'],
  '/page.js': ['page.js', 'text/javascript; charset=utf-8'],
};

class StatusServer {
  #target;
  #getStatus;
  #onError;
  #server = null;
  #sockets = new Set();
  #retry = null;
  #isHeir = !inheritance.isInCharge; // The primary that it replaces still has the address, for a while.

  /**
   * @param {any} target what listen() takes: options.js has checked that it is a path or a loopback port
   * @param {() => object} getStatus what /stats.json gives
   * @param {(error: any) => void} onError
   */
  constructor(target, getStatus, onError) {
    this.#target = target;
    this.#getStatus = getStatus;
    this.#onError = onError;
    this.#listen();
  }

  // pipewright's server gives the file its mode before a client can connect; Node's speaks HTTP.
  #listen() {
    const nodes = http.createServer((request, response) => this.#answer(request, response));
    this.#server = createServer((socket) => {
      this.#sockets.add(socket);
      socket.once('close', () => this.#sockets.delete(socket));
      nodes.emit('connection', socket);
    });
    this.#server.on('error', (error) => this.#onListenError(error));
    this.#server.listen(this.#target);
    this.#server.unref();
  }

  #onListenError(error) {
    if (error.code !== 'EADDRINUSE') {
      this.#onError(error);
      return;
    }
    if (this.#retry === null && !this.#isHeir) this.#onError(error);
    this.#retry = setTimeout(() => this.#listen(), RETRY).unref();
  }

  /** Where it listens, as server.address(); null while it does not. */
  address() {
    return this.#server.address();
  }

  #answer(request, response) {
    for (const [name, value] of Object.entries(HEADERS)) response.setHeader(name, value);
    const url = request.url.split('?')[0];
    if (!this.#isExpectedHost(request.headers.host)) {
      end(response, 421, 'This is the status page of a cluster: ask for it by a name of this machine.\n');
    } else if (request.method !== 'GET' && request.method !== 'HEAD') {
      response.setHeader('Allow', 'GET, HEAD');
      end(response, 405, 'Only GET and HEAD.\n');
    } else if (url === '/stats.json') {
      end(response, 200, `${JSON.stringify(this.#getStatus())}\n`, 'application/json');
    } else if (Object.hasOwn(FILES, url)) {
      const [file, type] = FILES[url];
      end(response, 200, fs.readFileSync(path.join(__dirname, 'status_page', file)), type);
    } else {
      end(response, 404, 'There is no such page.\n');
    }
  }

  // A web site can have its own name point to 127.0.0.1 (DNS rebinding), and then read what is
  // there; the browser still sends that name. Nothing of the kind reaches a path.
  #isExpectedHost(host) {
    return this.#target.path !== undefined || LOOPBACK_NAMES.has(String(host).replace(/:\d+$/, ''));
  }

  close() {
    clearTimeout(this.#retry);
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
  }
}

function end(response, status, body, type = 'text/plain; charset=utf-8') {
  response.writeHead(status, { 'Content-Type': type, 'Content-Length': Buffer.byteLength(body) });
  response.end(body); // Node leaves the body out for HEAD.
}

module.exports = { StatusServer };
