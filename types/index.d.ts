// pipewright: everything, as namespaces and by the common names.

export * as child_process from './child_process';
export * as net from './net';
export * as signals from './signals';
export * as systemd from './systemd';
export { exec, execFile, execFileSync, execSync, run, spawn, spawnSync } from './child_process';
export { connect, createServer } from './net';
export { watchSignal } from './signals';
