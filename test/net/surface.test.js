'use strict';

// What pipewright/net shows to programs written for node:net of the running Node.

const { once } = require('node:events');
const http = require('node:http');
const http2 = require('node:http2');
const nodeNet = require('node:net');
const tls = require('node:tls');

const net = require('../../lib/net');
const { closing } = require('../helpers/closing');
const { socketPath } = require('../helpers/socket_path');

const named = (object) => Object.getOwnPropertyNames(object).filter((name) => name !== 'constructor');
const missing = (theirs, ours) => named(theirs).filter((name) => !(name in ours));

describe('issue 9: everything that node:net of this Node has', () => {
  test('is exported', () => {
    expect(missing(nodeNet, net)).toEqual([]);
    const differ = named(nodeNet).filter((name) => typeof nodeNet[name] !== typeof net[name]);
    expect(differ).toEqual([]);
  });

  test('is a method or property of sockets', () => {
    expect(missing(nodeNet.Socket.prototype, new net.Socket())).toEqual([]);
  });

  test('is a method or property of servers, but for what node:cluster uses', () => {
    expect(missing(nodeNet.Server.prototype, new net.Server())).toEqual(['_listen2']);
  });
});

describe('issue 9: instanceof, of what http, http2 and tls made', () => {
  test.each([
    ['http.Server', () => new http.Server()],
    ['http2 server', () => http2.createServer()],
    ['tls.Server', () => tls.createServer()],
    ['its own', () => new net.Server()],
  ])('%s is a net.Server', (name, make) => {
    const server = make();
    expect(server instanceof net.Server).toBe(true);
    expect(server instanceof net.Socket).toBe(false);
  });

  test.each([
    ['net.Socket of Node', () => new nodeNet.Socket()],
    ['tls.TLSSocket', () => new tls.TLSSocket(new nodeNet.Socket())],
    ['its own', () => new net.Socket()],
  ])('%s is a net.Socket', (name, make) => {
    expect(make() instanceof net.Socket).toBe(true);
    expect(make() instanceof net.Server).toBe(false);
  });

  test('the sockets of an http server are', async () => {
    const server = closing(
      http.createServer((request, response) => response.end(String(request.socket instanceof net.Socket))),
    );
    const path = socketPath();
    await once(server.listen(path), 'listening');
    const request = http.get({ socketPath: path, agent: false });
    const [response] = await once(request, 'response');
    const [text] = await once(response, 'data');
    expect(String(text)).toBe('true');
  });

  test('of a class derived from ours only its own are', () => {
    class Derived extends net.Socket {}
    expect(new nodeNet.Socket() instanceof Derived).toBe(false);
    expect(new net.Socket() instanceof Derived).toBe(false);
    expect(new Derived() instanceof Derived).toBe(true);
    expect(new Derived() instanceof net.Socket).toBe(true);
  });

  test.each([[null], [undefined], [1], [{}]])('%p is neither', (value) => {
    expect(value instanceof net.Socket).toBe(false);
    expect(value instanceof net.Server).toBe(false);
  });
});
