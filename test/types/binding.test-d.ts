// What the declarations of pipewright/binding accept and refuse.

import { expectError, expectType } from 'tsd';

import {
  IpName,
  Listener,
  PipeWrap,
  TcpWrap,
  activeHandles,
  closeOnExec,
  peerCredentials,
  socketName,
} from '../../types/binding';
import { PeerCredentials } from '../../types/net';

const pipe = new PipeWrap();
pipe.onread = (nread, chunk) => {
  expectType<number>(nread);
  expectType<Buffer | null>(chunk);
};
pipe.onconnect = (status) => expectType<number>(status);
expectType<number>(pipe.connect('/run/x.sock'));
expectType<number>(pipe.open(5));
expectType<number>(pipe.writeBuffers([Buffer.alloc(1), new Uint8Array(1)]));
expectType<number>(pipe.close(() => {}));
expectError(pipe.connect(5));
expectError(pipe.reset());

const tcp = new TcpWrap();
expectType<IpName | number>(tcp.getsockname());
expectType<number>(tcp.reset());

const listener = new Listener();
listener.onconnection = (status, fd) => expectType<[number, number]>([status, fd]);
expectType<number>(listener.listenOnPath({ path: '/run/x.sock', mode: 0o600, replaceStale: true }));
expectType<number>(listener.listenOnAddress({ address: '::1', port: 0 }));
expectType<string | IpName | number | undefined>(listener.getsockname());
expectError(listener.listenOnPath({}));
expectError(listener.readStart());

expectType<number>(activeHandles());
expectType<number>(closeOnExec(3));
expectType<PeerCredentials | number>(peerCredentials(3));
expectType<string | IpName | number | undefined>(socketName(3));
