// What the declarations of pipewright/net accept and refuse.

import * as http from 'node:http';
import * as nodeNet from 'node:net';
import { expectAssignable, expectError, expectType } from 'tsd';

import {
  BlockList,
  PeerCredentials,
  Server,
  ServerListeners,
  Socket,
  Stream,
  connect,
  createConnection,
  createServer,
  isIP,
  pump,
} from '../../types/net';

// A server over a path.
const server = createServer({ allowPeer: (peer) => peer.uid === 0 }, (socket) => {
  expectType<Socket>(socket);
  expectType<PeerCredentials>(socket.peerCredentials());
  expectType<Server | null>(socket.server);
});
expectType<Server>(server);
expectType<Server>(
  server.listen({ path: '/run/x.sock', mode: 0o660, owner: 'root', group: 10, replaceStale: true, backlog: 5 }),
);
expectType<Server>(server.listen({ path: '\0name', signal: AbortSignal.timeout(5) }, () => {}));
expectType<Server>(server.listen('/run/x.sock'));
expectType<Server>(server.listen('/run/x.sock', 5, () => {}));
expectType<Server>(server.listen({ fd: 3 }));
expectType<Server>(server.listen(0, '127.0.0.1', () => {}));
expectType<Server>(server.listen({ port: 0, reusePort: true }));
expectType<Server>(server.listen());
expectError(server.listen({ path: '/run/x.sock', mode: true }));
expectError(server.listen({ path: '/run/x.sock', replaceStale: 'yes' }));
expectError(server.listen({ path: 5 }));
expectError(server.listen({ pth: '/run/x.sock' }));
expectError(createServer({ allowPeer: true }));
expectError(createServer({ allowPeer: async () => true }));
expectType<string | nodeNet.AddressInfo | null>(server.address());

// Its events.
server.on('connection', (socket) => expectType<Socket>(socket));
server.once('overload', (reason) => expectType<NodeJS.ErrnoException>(reason));
server.on('error', (error) => expectType<string | undefined>(error.code));
server.on('drop', (data) => expectType<PeerCredentials | undefined>(data?.peer));
server.on('an event of somebody else', (first, second) => [first, second]);
expectAssignable<keyof ServerListeners>('listening');

// Clients.
expectType<Socket>(connect('/run/x.sock', () => {}));
expectType<Socket>(connect({ path: '/run/x.sock', timeout: 100, allowHalfOpen: true }));
expectType<Socket>(connect(80));
expectType<Socket>(connect({ port: '80', host: 'localhost', noDelay: true }));
expectType<Socket>(createConnection('/run/x.sock'));
expectError(connect({ host: 'localhost' }));
expectError(connect({ path: '/run/x.sock', allowHalfOpen: 'yes' }));
expectType<Socket>(new Socket().connect('/run/x.sock').setTimeout(5).setEncoding('utf8').ref());
expectType<Socket>(new Socket(5));
expectType<Socket>(new Socket({ fd: 5, readable: true, writable: false }));
expectType<Socket>(new Stream({ fd: 5 }));
const socket = connect({
  path: '/run/x.sock',
  onread: {
    buffer: Buffer.alloc(5),
    callback(bytesRead, buffer) {
      expectType<number>(bytesRead);
      expectType<Uint8Array>(buffer);
      expectType<Socket>(this);
    },
  },
});
socket.on('data', (chunk) => expectAssignable<Uint8Array>(chunk));

// They go wherever Node's are asked for.
expectAssignable<nodeNet.Socket>(socket);
expectAssignable<nodeNet.Server>(server);
server.on('connection', (each) => http.createServer().emit('connection', each));
http.request({ createConnection: () => connect('/run/x.sock') });
expectType<number>(isIP('::1'));
expectType<BlockList>(new nodeNet.BlockList());

async function disposes() {
  await using closed = createServer().listen('/run/x.sock');
  expectType<Server>(closed);
  for await (const chunk of socket) expectType<any>(chunk);
}
expectType<Promise<void>>(disposes());

// All bytes of one to another.
expectType<Promise<number>>(pump(new Socket(), connect('/run/x.sock'), { end: false, signal: AbortSignal.timeout(5) }));
expectError(pump('/run/x.sock', new Socket()));
