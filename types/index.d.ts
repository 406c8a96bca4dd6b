// pipewright: everything, as namespaces and by the common names.

export * as descriptors from './descriptors';
export * as dgram from './dgram';
export * as net from './net';
export * as systemd from './systemd';
export { connect, createServer } from './net';
export { Descriptor, DescriptorPasser, socketpair } from './descriptors';
