// What the declarations of pipewright/descriptors and pipewright/dgram accept.

import { expectError, expectType } from 'tsd';

import { Descriptor, DescriptorPasser, DescriptorToken, socketpair, toDescriptor } from '../../types/descriptors';
import { UnixSocket, createSocket } from '../../types/dgram';
import { Server, Socket, connect, createServer } from '../../types/net';

const [left, right] = socketpair({ type: 'seqpacket' });
expectType<Descriptor>(left);
expectType<DescriptorToken>(right.transfer());
expectType<Descriptor>(Descriptor.from(right.transfer()));
expectType<Socket>(left.toSocket({ descriptors: true }));
expectType<Server>(left.toServer((socket) => expectType<Socket>(socket)));
expectError(socketpair({ type: 'x' }));

const passer = new DescriptorPasser({ socket: left, batch: 10 });
expectType<Promise<void>>(passer.send(3));
expectType<void>(passer.send(left, { keep: true }, (error) => expectType<Error | null>(error)));
expectType<Promise<Descriptor>>(passer.receive());
expectType<[DescriptorPasser, DescriptorPasser]>(DescriptorPasser.pair());
expectError(passer.send('x'));

const socket = connect({ path: '/run/x.sock', descriptors: true });
socket.on('descriptors', (list) => expectType<Descriptor[]>(list));
expectType<boolean>(socket.sendDescriptors([3, left, passer], 'payload', () => {}));
expectType<Descriptor>(toDescriptor(createServer({ descriptors: true })));

expectType<UnixSocket>(createSocket('datagram').bind('/run/log'));
expectType<Promise<void>>(createSocket().send('line', { path: '/dev/log', descriptors: [3] }));
