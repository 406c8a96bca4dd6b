import * as http from 'node:http';

import { expectError, expectType } from 'tsd';

import { Cluster, ClusterAddress, createCluster, worker } from '../../types/cluster';
import { Socket } from '../../types/net';

const cluster = createCluster({ exec: './worker.js', workers: 2, schedule: 'least-connections' });
expectType<Cluster>(cluster);
expectType<Cluster>(cluster.listen({ path: '/run/app.sock', mode: 0o660, replaceStale: true, ack: 'accept' }));
expectType<Cluster>(cluster.listen({ port: 80 }));
expectType<Promise<void>>(cluster.close());
expectType<number>(cluster.stats().restarts);
cluster.on('listening', (address) => expectType<ClusterAddress>(address));
cluster.on('exit', (each, _code, _signal, moved) => {
  expectType<number>(each.id);
  expectType<number>(moved);
});
expectError(createCluster({}));
expectError(createCluster({ exec: 'x', schedule: 'random' }));

expectType<http.Server>(worker.serve(http.createServer()));
worker.on('connection', (socket) => expectType<Socket>(socket));
worker.ready();
