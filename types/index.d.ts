// pipewright: everything, as namespaces and by the common names.

export * as channel from './channel';
export * as child_process from './child_process';
export * as cluster from './cluster';
export * as descriptors from './descriptors';
export * as dgram from './dgram';
export * as net from './net';
export * as signals from './signals';
export * as systemd from './systemd';
export { createCluster } from './cluster';
export { Channel } from './channel';
export { exec, execFile, execFileSync, execSync, run, spawn, spawnSync } from './child_process';
export { connect, createServer } from './net';
export { watchSignal } from './signals';
export { Descriptor, DescriptorPasser, socketpair } from './descriptors';
