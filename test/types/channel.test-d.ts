// What the declarations of pipewright/channel accept.

import * as nodeNet from 'node:net';
import { expectAssignable, expectError, expectType } from 'tsd';

import { Channel, ChannelReply, ChannelServer, ChannelStats, Received } from '../../types/channel';
import { Descriptor, socketpair } from '../../types/descriptors';
import { Channel as CommonChannel, channel as namespace } from '../../types/index';
import { connect } from '../../types/net';

const [left, right] = socketpair();
const channel = new Channel(left, { serialization: 'advanced', maxMessageBytes: 1000, maxDescriptors: 0 });
expectAssignable<Channel>(new CommonChannel(3));
expectAssignable<Channel>(new namespace.Channel(connect('/run/x.sock')));
expectAssignable<Channel>(new Channel(nodeNet.connect('/run/x.sock')));
expectError(new Channel('/run/x.sock'));
expectError(new Channel(right, { serialization: 'xml' }));

expectType<boolean>(channel.send({ a: 1 }));
expectType<boolean>(channel.send('text', [right, 3], { keep: true }));
expectType<Promise<void>>(channel.sent('text', new Set([3])));
expectType<Promise<Received<number>>>(
  channel.request<number>('question', { timeout: 10, signal: AbortSignal.timeout(10), descriptors: [0] }),
);
expectError(channel.request('question', { timeout: '10' }));

channel.onRequest(async (message, descriptors) => {
  expectType<readonly Descriptor[]>(descriptors);
  return Channel.reply(message, descriptors);
});
expectType<ChannelReply>(Channel.reply('text'));
channel.onRequest(null);

channel.on('message', (_message, descriptors) => expectType<readonly Descriptor[]>(descriptors));
channel.once('close', (reason) => expectType<Error | null>(reason));
async function iterate() {
  for await (const { message, descriptors } of channel) {
    expectType<any>(message);
    expectType<readonly Descriptor[]>(descriptors);
  }
}
expectType<Promise<void>>(iterate());

const server = Channel.listen({
  path: '/run/x.sock',
  mode: 0o600,
  allowPeer: ({ uid }) => uid === 0,
  serialization: 'raw',
});
expectType<ChannelServer>(server);
server.on('channel', (peer) => expectType<Channel>(peer));
Channel.listen('/run/x.sock', (peer) => expectType<Channel>(peer));
expectError(Channel.listen({ port: 80 }));
expectType<Promise<Channel>>(Channel.connect({ path: '/run/x.sock', signal: AbortSignal.timeout(10) }));

expectType<Promise<void>>(channel.close());
expectType<Channel>(channel.destroy(new Error('why')));
expectType<ChannelStats>(channel.stats());
expectType<boolean>(channel.isOpen);
