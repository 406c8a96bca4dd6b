// pipewright/cluster: one program accepts, many serve.

import { EventEmitter } from 'node:events';
import * as nodeNet from 'node:net';
import { ResourceLimits } from 'node:worker_threads';

import { Received, RequestOptions } from './channel';
import { Descriptor, Sendable, SendOptions } from './descriptors';
import { ListenOptions, PeerCredentials, Server, Socket } from './net';

export interface ClusterOptions {
  /** The workers' program. */
  exec: string | URL;
  args?: readonly string[];
  /** How many; default: the number of processors. */
  workers?: number;
  /** Default 'process'. Threads are those of this process. */
  kind?: 'process' | 'thread';
  /** Default 'round-robin'. A function returns a worker, or its number: 0 to `workers` - 1. */
  schedule?:
    | 'round-robin'
    | 'least-connections'
    | 'sticky'
    | 'shared'
    | ((connection: IncomingConnection) => number | ClusterWorker);
  /** With 'sticky': what makes two clients of a path the same one; default 'uid'. */
  stickyBy?: 'uid' | 'pid';
  /** How many of the first bytes a function gets to see; default 0. A client that sends none waits. */
  peekBytes?: number;
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
  /** Of the heap, code and stack of each thread, as of `new Worker()`; only with `kind: 'thread'`. */
  resourceLimits?: ResourceLimits;
  /** Of the messages between the programs; default 'json'. */
  serialization?: 'json' | 'advanced' | 'raw';
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
  /** A worker that had to be started again so often within restartWindow is given up; default 0, no limit. */
  maxRestarts?: number;
  /** Milliseconds; default 60 000. */
  restartWindow?: number;
  /** Requests (http, https) or connections after which a worker is replaced; default 0, never. */
  maxRequests?: number;
  /** Bytes of memory over which a worker is replaced; default 0, never. */
  maxMemory?: number;
}

/** What a function as schedule gets. */
export interface IncomingConnection {
  /** The client's IP address; undefined over a path. */
  address: string | undefined;
  /** The client's process and user; undefined over TCP. */
  peer: PeerCredentials | undefined;
  /** The first bytes, at most `peekBytes`: what had come by then. The worker reads them too. */
  bytes: Buffer;
  /** The address of the listener; undefined if that was closed meanwhile. */
  listener: ClusterAddress | undefined;
}

/** What reload() may change. */
export type ReloadOverrides = Partial<Pick<ClusterOptions, 'exec' | 'args' | 'execArgv' | 'env'>>;

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
  /** Which of the workers, from 0; its successor has the same. */
  slot: number;
  /** A thread's is that of the primary. */
  pid: number | undefined;
  /** undefined for a process. */
  threadId: number | undefined;
  state: 'starting' | 'ready' | 'draining' | 'ended';
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
  /** How often its table of descriptors was full: these connections went elsewhere. */
  refused: number;
  /** The worker's word, from the memory that it shares with the primary. */
  accepted: number;
  closed: number;
  /** Milliseconds by which its event loop was last late. */
  loopDelay: number;
}

export interface ClusterStats {
  accepted: number;
  /** Connections that wait for a worker. */
  pending: number;
  /** Connections that wait for their clients' first bytes, and those whose clients left instead. */
  silent: number;
  dropped: number;
  /** Connections of dead workers: those that went to others, and those that were shut down. */
  moved: number;
  ended: number;
  /** Connections that moved from a worker that drains to another. */
  handedOn: number;
  /** Workers started in place of one that had ended. */
  restarts: number;
  reloads: number;
  /** Workers that were replaced by themselves: see 'retire'. */
  retired: number;
  workers: WorkerStats[];
}

/** Messages to the other side's program, and from it: what a worker in the primary and `worker` in a worker have in common. */
export interface Messenger extends EventEmitter {
  /** Whether messages can be sent. */
  readonly isOpen: boolean;
  /** False if the other side is slow: 'drain' will follow. @throws as channel.send() */
  send(message: any, descriptors?: Iterable<Sendable> | null, options?: SendOptions): boolean;
  /** The same, and resolves once the kernel has taken the message. */
  sent(message: any, descriptors?: Iterable<Sendable> | null, options?: SendOptions): Promise<void>;
  /** Resolves with the reply of the other side's handler. */
  request<T = any>(message: any, options?: RequestOptions): Promise<Received<T>>;
  /** Answers the other side's requests with what the handler returns, or its promise gives. */
  onRequest(handler: ((message: any, descriptors: readonly Descriptor[]) => any) | null): this;
}

/** A worker, as the primary sees it. */
export interface ClusterWorker extends Messenger {
  readonly id: number;
  readonly slot: number;
  readonly kind: 'process' | 'thread';
  readonly pid: number | undefined;
  readonly threadId: number | undefined;
  readonly state: WorkerStats['state'];
  stats(): WorkerStats;
  /** Ends it at once: a process by SIGKILL, a thread by terminate(). What it has not used goes to others. */
  kill(): void;

  on(event: 'message', listener: (message: any, descriptors: readonly Descriptor[]) => void): this;
  on(event: 'drain', listener: () => void): this;
  on(event: string | symbol, listener: (...args: any[]) => void): this;
}

export interface Cluster extends EventEmitter {
  listen(options: ClusterListenOptions, callback?: (address: ClusterAddress) => void): this;
  listen(path: string, callback?: (address: ClusterAddress) => void): this;
  listen(port: number, host?: string, callback?: (address: ClusterAddress) => void): this;
  addresses(): ClusterAddress[];
  /** Where the status page is; null without one. */
  statusAddress(): ClusterAddress | null;
  stats(): ClusterStats;
  /**
   * Replaces the workers by new ones. Rejects with ERR_CLUSTER_RELOAD_FAILED if one of these is
   * not ready; then the old ones go on.
   */
  reload(overrides?: ReloadOverrides): Promise<void>;
  /** SIGTERM and SIGINT close, and kill when they come again; SIGHUP reloads; SIGUSR2 upgrades. */
  handleSignals(): this;
  close(): Promise<void>;
  /** The workers that have not ended. */
  readonly workers: ClusterWorker[];
  /** Sends a message to all workers whose channel is open. Returns how many these are. */
  broadcast(message: any): number;
  /** Answers the requests of all workers, also of later ones. */
  onRequest(handler: ((worker: ClusterWorker, message: any, descriptors: readonly Descriptor[]) => any) | null): this;
  /**
   * Starts the program again, leaves listeners and connections to the new process, then closes.
   * Rejects if the new one did not come up; this one goes on then.
   */
  upgrade(options?: UpgradeOptions): Promise<{ pid: number }>;

  on(event: 'listening', listener: (address: ClusterAddress) => void): this;
  on(event: 'ready' | 'draining', listener: (worker: ClusterWorker) => void): this;
  on(event: 'retire', listener: (worker: ClusterWorker, reason: 'requests' | 'memory' | 'closed') => void): this;
  on(
    event: 'exit',
    listener: (worker: ClusterWorker, code: number | null, signal: NodeJS.Signals | null, moved: number) => void,
  ): this;
  on(
    event: 'message',
    listener: (worker: ClusterWorker, message: any, descriptors: readonly Descriptor[]) => void,
  ): this;
  on(event: 'reload' | 'full' | 'room' | 'close', listener: () => void): this;
  on(event: 'rollback' | 'overload' | 'error', listener: (error: NodeJS.ErrnoException) => void): this;
  on(event: string | symbol, listener: (...args: any[]) => void): this;
}

/** Starts workers, which take the connections of all its listeners. */
export function createCluster(options: ClusterOptions): Cluster;

export interface Worker extends Messenger {
  readonly isWorker: boolean;
  readonly id: number | undefined;
  /** Gives the connections to a server that does not listen. */
  serve<S extends nodeNet.Server | Server>(server: S): S;
  ready(): void;

  on(event: 'connection', listener: (socket: Socket) => void): this;
  on(event: 'stop' | 'drain', listener: () => void): this;
  on(event: 'message', listener: (message: any, descriptors: readonly Descriptor[]) => void): this;
  on(event: string | symbol, listener: (...args: any[]) => void): this;
}

/** What a worker's program sees of its cluster. */
export const worker: Worker;
