// pipewright/cluster: one program accepts, many serve.

import { EventEmitter } from 'node:events';
import * as nodeNet from 'node:net';

import { ListenOptions, Server, Socket } from './net';

export interface ClusterOptions {
  /** The workers' program. */
  exec: string | URL;
  args?: readonly string[];
  /** How many; default: the number of processors. */
  workers?: number;
  kind?: 'process';
  /** Default 'round-robin'. */
  schedule?: 'round-robin' | 'least-connections';
  /** The program is unchanged: it calls server.listen() itself; default false. */
  interceptListen?: boolean;
  /** A page that shows stats(), on a path (mode 0o600 unless it says otherwise) or a loopback port; default none. */
  statusPage?:
    | { path: string; mode?: number | string; owner?: number | string; group?: number | string }
    | { port: number; host?: '127.0.0.1' | '::1' }
    | null;
  /** Node's own arguments; default: this process's. */
  execArgv?: readonly string[];
  /** Default: this process's. */
  env?: NodeJS.ProcessEnv;
  /** A worker that has so many connections and did not take them gets no more; default 128. */
  maxUnacknowledged?: number;
  /** Milliseconds after which a worker whose loop does not turn is killed; default 10 000, 0 is never. */
  handoverTimeout?: number;
  /** Milliseconds in which a worker has to be ready; default 30 000, 0 is any. */
  readyTimeout?: number;
  /** Milliseconds after which close() kills; default 10 000, 0 is never. */
  closeTimeout?: number;
  /** Milliseconds until a worker is started again that was not ready, or not for long; default 100. */
  restartDelay?: number;
  /** restartDelay doubles with each failure, up to this; default 10 000. */
  maxRestartDelay?: number;
  /** Milliseconds after which a worker's end is no failure; default 1000. */
  minUptime?: number;
}

export type ClusterListenOptions = ListenOptions & {
  /** 'accept' for a protocol in which the server speaks first; default 'first-byte'. */
  ack?: 'first-byte' | 'accept' | undefined;
  /** The listener's name in systemd's store, where it survives a restart of the service; for a path or a port. */
  store?: string | undefined;
};

export interface UpgradeOptions {
  /** Milliseconds in which the new process has to be ready; default `readyTimeout`, 0 is any. */
  timeout?: number;
}

export type ClusterAddress = string | nodeNet.AddressInfo;

export interface WorkerStats {
  id: number;
  pid: number | undefined;
  state: 'starting' | 'ready' | 'stopping' | 'ended';
  startedAt: number;
  /** How many workers have ended in its place before. */
  restarts: number;
  /** Connections that it got, and those of them that are open. */
  assigned: number;
  active: number;
  /** Connections that it did not take yet, and how many milliseconds the oldest has waited. */
  unacknowledged: number;
  waitedFor: number;
  /** Connections of which the primary has a copy. */
  kept: number;
}

export interface ClusterStats {
  accepted?: number;
  /** Connections that wait for a worker. */
  pending?: number;
  /** Connections of dead workers: those that went to others, and those that were shut down. */
  moved?: number;
  ended?: number;
  restarts: number;
  workers: WorkerStats[];
}

export interface WorkerProcess extends EventEmitter {
  readonly id: number;
  readonly pid: number | undefined;
  readonly state: WorkerStats['state'];
  stats(): WorkerStats;
}

export interface Cluster extends EventEmitter {
  listen(options: ClusterListenOptions, callback?: (address: ClusterAddress) => void): this;
  listen(path: string, callback?: (address: ClusterAddress) => void): this;
  listen(port: number, host?: string, callback?: (address: ClusterAddress) => void): this;
  addresses(): ClusterAddress[];
  /** Where the status page is; null without one. */
  statusAddress(): ClusterAddress | null;
  stats(): ClusterStats;
  close(): Promise<void>;
  /**
   * Starts the program again, leaves listeners and connections to the new process, then closes.
   * Rejects if the new one did not come up; this one goes on then.
   */
  upgrade(options?: UpgradeOptions): Promise<{ pid: number }>;

  on(event: 'listening', listener: (address: ClusterAddress) => void): this;
  on(event: 'ready', listener: (worker: WorkerProcess) => void): this;
  on(
    event: 'exit',
    listener: (worker: WorkerProcess, code: number | null, signal: NodeJS.Signals | null, moved: number) => void,
  ): this;
  on(event: 'full' | 'room' | 'close', listener: () => void): this;
  on(event: 'overload' | 'error', listener: (error: NodeJS.ErrnoException) => void): this;
  on(event: string | symbol, listener: (...args: any[]) => void): this;
}

/** Starts workers, which take the connections of all its listeners. */
export function createCluster(options: ClusterOptions): Cluster;

export interface Worker extends EventEmitter {
  readonly isWorker: boolean;
  readonly id: number | undefined;
  /** Gives the connections to a server that does not listen. */
  serve<S extends nodeNet.Server | Server>(server: S): S;
  ready(): void;

  on(event: 'connection', listener: (socket: Socket) => void): this;
  on(event: 'stop', listener: () => void): this;
  on(event: string | symbol, listener: (...args: any[]) => void): this;
}

/** What a worker's program sees of its cluster. */
export const worker: Worker;
