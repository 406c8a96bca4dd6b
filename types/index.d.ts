// pipewright: everything, as namespaces and by the common names.

export * as net from './net';
export * as systemd from './systemd';
export { connect, createServer } from './net';
