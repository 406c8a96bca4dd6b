import * as http from 'node:http';

import { expectError, expectType } from 'tsd';

import { Received } from '../../types/channel';
import { Cluster, ClusterAddress, ClusterWorker, createCluster, worker } from '../../types/cluster';
import { Descriptor } from '../../types/descriptors';
import { Socket } from '../../types/net';

const cluster = createCluster({ exec: './worker.js', workers: 2, schedule: 'least-connections' });
expectType<Cluster>(cluster);
createCluster({ exec: 'x', schedule: 'sticky', stickyBy: 'pid' });
createCluster({
  exec: 'x',
  peekBytes: 100,
  schedule: ({ address, bytes }) => {
    expectType<string | undefined>(address);
    return bytes.length > 0 ? 1 : cluster.workers[0];
  },
});
expectError(createCluster({ exec: 'x', schedule: () => 'x' }));
expectType<Cluster>(cluster.listen({ path: '/run/app.sock', mode: 0o660, replaceStale: true, ack: 'accept' }));
expectType<Cluster>(cluster.listen({ port: 80 }));
expectType<Promise<void>>(cluster.close());
expectType<Promise<{ pid: number }>>(cluster.upgrade());
expectType<Promise<{ pid: number }>>(cluster.upgrade({ timeout: 1000 }));
expectType<Cluster>(cluster.listen({ port: 80, store: 'web' }));
expectType<number>(cluster.stats().restarts);
cluster.on('listening', (address) => expectType<ClusterAddress>(address));
cluster.on('exit', (each, _code, _signal, moved) => {
  expectType<number>(each.id);
  expectType<number>(moved);
});
cluster.on('message', (each, _message, descriptors) => {
  expectType<ClusterWorker>(each);
  expectType<readonly Descriptor[]>(descriptors);
  expectType<boolean>(each.send({ a: 1 }, descriptors));
});
cluster.onRequest((each, message) => `${each.id} ${message}`);
expectType<number>(cluster.broadcast('hello'));
expectType<number | undefined>(cluster.workers[0]?.threadId);
createCluster({ exec: 'x', kind: 'thread', resourceLimits: { stackSizeMb: 8 }, serialization: 'advanced' });
createCluster({ exec: 'x', interceptListen: true, statusPage: { path: '/run/status', mode: 0o660 } });
expectError(createCluster({ exec: 'x', statusPage: { port: 80, host: '0.0.0.0' } }));
expectError(createCluster({}));
expectError(createCluster({ exec: 'x', schedule: 'random' }));

expectType<http.Server>(worker.serve(http.createServer()));
worker.on('connection', (socket) => expectType<Socket>(socket));
worker.ready();
expectType<Promise<Received<string>>>(worker.request<string>('question'));
worker.on('message', (_message, descriptors) => expectType<readonly Descriptor[]>(descriptors));
