// pipewright/net: the declarations of node:net, with what pipewright adds. Our classes
// are declared as subclasses of Node's, so that they go wherever a socket or a server
// of Node's is asked for; they do the same, but are no instances of Node's.

import * as net from 'node:net';
import { Readable, Writable } from 'node:stream';

import { Descriptor, Sendable, SendOptions } from './descriptors';
import { Listener, PipeWrap, TcpWrap } from './binding';

export {
  AddressInfo,
  BlockList,
  LookupFunction,
  SocketAddress,
  getDefaultAutoSelectFamily,
  getDefaultAutoSelectFamilyAttemptTimeout,
  isIP,
  isIPv4,
  isIPv6,
  setDefaultAutoSelectFamily,
  setDefaultAutoSelectFamilyAttemptTimeout,
} from 'node:net';

/** Who is at the other end of a Unix socket, as the kernel noted it. */
export interface PeerCredentials {
  /** 0 for a process that cannot be seen from here: of another pid namespace. */
  pid: number;
  uid: number;
  gid: number;
  /** Supplementary groups. */
  groups: number[];
}

export interface OnReadOptions {
  /** Where reads go: one buffer for all of them, or a function that gives one for each. */
  buffer: Uint8Array | (() => Uint8Array);
  /** Called with `this` being the socket. `false` pauses it. */
  callback(this: Socket, bytesRead: number, buffer: Uint8Array): boolean | void;
}

export interface SocketOptions {
  /** A connected socket, a FIFO, a pipe or a terminal. The socket owns and closes it. */
  fd?: number | undefined;
  /** An open handle, instead of `fd`. */
  handle?: PipeWrap | TcpWrap | undefined;
  /** Unix sockets, default false: send and receive descriptors; 'descriptors' comes before the 'data' they came with. */
  descriptors?: boolean | undefined;
  /** With `descriptors`: a message with more ends the socket with ERR_DESCRIPTORS_TOO_MANY; default 253. */
  maxDescriptors?: number | undefined;
  /** Default false: when the other end has ended, so does this one. */
  allowHalfOpen?: boolean | undefined;
  /** With `fd`; default true. */
  readable?: boolean | undefined;
  /** With `fd`; default true. */
  writable?: boolean | undefined;
  highWaterMark?: number | undefined;
  readableHighWaterMark?: number | undefined;
  writableHighWaterMark?: number | undefined;
  onread?: OnReadOptions | null | undefined;
  /** Destroys the socket with an AbortError. */
  signal?: AbortSignal | undefined;
  /** TCP only. */
  noDelay?: boolean | undefined;
  /** TCP only. */
  keepAlive?: boolean | undefined;
  /** TCP only; milliseconds. */
  keepAliveInitialDelay?: number | undefined;
  /** TCP only: 0 to 255; see ip(7). */
  typeOfService?: number | undefined;
}

export interface PathConnectOptions {
  /** A path, or an abstract name: '\0name'. */
  path: string;
}

export interface TcpConnectOptions extends Omit<net.TcpSocketConnectOpts, 'onread' | 'port'> {
  port: number | string;
}

export type SocketConnectOptions = PathConnectOptions | TcpConnectOptions;

/** What connect() takes: where to, and the options of the new socket. */
export type ConnectOptions = SocketConnectOptions & SocketOptions & { timeout?: number | undefined };

export interface SocketListeners {
  close: (hadError: boolean) => void;
  connect: () => void;
  connectionAttempt: (ip: string, port: number, family: number) => void;
  connectionAttemptFailed: (ip: string, port: number, family: number, error: Error) => void;
  connectionAttemptTimeout: (ip: string, port: number, family: number) => void;
  data: (data: Buffer) => void;
  /** With the option `descriptors`: the listener's to close. Those without a listener are closed. */
  descriptors: (list: Descriptor[]) => void;
  drain: () => void;
  end: () => void;
  error: (error: Error) => void;
  lookup: (error: Error, address: string, family: string | number, host: string) => void;
  ready: () => void;
  timeout: () => void;
}

export class Socket extends net.Socket {
  /** A number is the option `fd`. */
  constructor(options?: SocketOptions | number);

  /** The server that accepted it; null of a client. */
  readonly server: Server | null;

  connect(options: SocketConnectOptions & Partial<SocketOptions>, connectionListener?: () => void): this;
  connect(port: number, host: string, connectionListener?: () => void): this;
  connect(port: number, connectionListener?: () => void): this;
  connect(path: string, connectionListener?: () => void): this;

  /** TCP: the byte that marks each packet, 0 to 255; see ip(7). Elsewhere without effect. */
  setTypeOfService(tos: number): this;
  getTypeOfService(): number;

  /**
   * Who is at the other end, by SO_PEERCRED and SO_PEERGROUPS.
   *
   * @throws ERR_SOCKET_CLOSED; ENOTCONN without a peer; ENOTSUP of TCP; ENOTSOCK of a pipe
   */
  peerCredentials(): PeerCredentials;

  /**
   * With the option `descriptors`: writes the payload (default: one NUL byte) and the
   * descriptors with it. Those that are ours are closed once they were sent.
   *
   * @throws ERR_DESCRIPTORS_NOT_ENABLED, ERR_OUT_OF_RANGE (more than 253), ERR_DESCRIPTOR_CLOSED,
   *   ERR_DESCRIPTOR_UNREAD_DATA
   */
  sendDescriptors(list: Iterable<Sendable>, callback: (error?: Error | null) => void): boolean;
  sendDescriptors(
    list: Iterable<Sendable>,
    payload?: Uint8Array | string | null,
    callback?: (error?: Error | null) => void,
  ): boolean;
  sendDescriptors(
    list: Iterable<Sendable>,
    payload: Uint8Array | string | null | undefined,
    options: SendOptions,
    callback?: (error?: Error | null) => void,
  ): boolean;

  addListener<Name extends keyof SocketListeners>(event: Name, listener: SocketListeners[Name]): this;
  addListener(event: string | symbol, listener: (...args: any[]) => void): this;
  on<Name extends keyof SocketListeners>(event: Name, listener: SocketListeners[Name]): this;
  on(event: string | symbol, listener: (...args: any[]) => void): this;
  once<Name extends keyof SocketListeners>(event: Name, listener: SocketListeners[Name]): this;
  once(event: string | symbol, listener: (...args: any[]) => void): this;
  prependListener<Name extends keyof SocketListeners>(event: Name, listener: SocketListeners[Name]): this;
  prependListener(event: string | symbol, listener: (...args: any[]) => void): this;
  prependOnceListener<Name extends keyof SocketListeners>(event: Name, listener: SocketListeners[Name]): this;
  prependOnceListener(event: string | symbol, listener: (...args: any[]) => void): this;
}

/** The other name that node:net has for Socket. */
export { Socket as Stream };

export interface ServerOptions extends net.ServerOpts {
  /** Unix sockets: its connections send and receive descriptors; default false. */
  descriptors?: boolean | undefined;
  /** With `descriptors`: of a message; default 253. */
  maxDescriptors?: number | undefined;
  /**
   * Asked for each connection over a Unix socket, before 'connection': only `true` lets
   * it in. The others get nothing, and 'drop' tells of them.
   */
  allowPeer?: ((peer: PeerCredentials) => boolean) | undefined;
}

interface CommonListenOptions {
  /** Default 511. The kernel caps it: /proc/sys/net/core/somaxconn. */
  backlog?: number | undefined;
  /** Closes the server. */
  signal?: AbortSignal | undefined;
  /** Of node:cluster, which pipewright's servers take no part in: without effect. */
  exclusive?: boolean | undefined;
}

export interface PathListenOptions extends CommonListenOptions {
  /** A path, or an abstract name: '\0name'. */
  path: string;
  /**
   * The file's mode, in force before the first client can connect: a number, or octal
   * digits. Default: 0777 less the umask.
   */
  mode?: number | string | undefined;
  /** The file's owner, by uid or name. Default: the process's. */
  owner?: number | string | undefined;
  /** The file's group, by gid or name. Default: the process's. */
  group?: number | string | undefined;
  /** Default false. Replaces a socket file that no process listens on any more. */
  replaceStale?: boolean | undefined;
  /** Adds 0444 to the mode; not beside `mode`. */
  readableAll?: boolean | undefined;
  /** Adds 0222 to the mode; not beside `mode`. */
  writableAll?: boolean | undefined;
}

export interface PortListenOptions extends CommonListenOptions {
  port?: number | string | undefined;
  host?: string | undefined;
  ipv6Only?: boolean | undefined;
  reusePort?: boolean | undefined;
}

export interface FdListenOptions extends CommonListenOptions {
  /** A bound stream socket. The server owns and closes it; a file is left where it is. */
  fd: number;
}

export type ListenOptions = PathListenOptions | PortListenOptions | FdListenOptions;

/** What 'drop' tells of a connection that was not let in. */
export interface DropArgument extends net.DropArgument {
  /** Of a connection that `allowPeer` refused. */
  peer?: PeerCredentials;
}

export interface ServerListeners {
  close: () => void;
  connection: (socket: Socket) => void;
  /** Not let in: by `maxConnections` or by `allowPeer`. */
  drop: (data?: DropArgument) => void;
  error: (error: NodeJS.ErrnoException) => void;
  listening: () => void;
  /** No descriptor or no memory for another connection: clients wait in the backlog. */
  overload: (reason: NodeJS.ErrnoException) => void;
}

export class Server extends net.Server {
  constructor(connectionListener?: (socket: Socket) => void);
  constructor(options?: ServerOptions | null, connectionListener?: (socket: Socket) => void);

  listen(port?: number, host?: string, backlog?: number, listeningListener?: () => void): this;
  listen(port?: number, host?: string, listeningListener?: () => void): this;
  listen(port?: number, backlog?: number, listeningListener?: () => void): this;
  listen(port?: number, listeningListener?: () => void): this;
  listen(path: string, backlog?: number, listeningListener?: () => void): this;
  listen(path: string, listeningListener?: () => void): this;
  listen(options: ListenOptions, listeningListener?: () => void): this;
  listen(handle: { fd: number } | Listener, backlog?: number, listeningListener?: () => void): this;
  listen(handle: { fd: number } | Listener, listeningListener?: () => void): this;

  addListener<Name extends keyof ServerListeners>(event: Name, listener: ServerListeners[Name]): this;
  addListener(event: string | symbol, listener: (...args: any[]) => void): this;
  on<Name extends keyof ServerListeners>(event: Name, listener: ServerListeners[Name]): this;
  on(event: string | symbol, listener: (...args: any[]) => void): this;
  once<Name extends keyof ServerListeners>(event: Name, listener: ServerListeners[Name]): this;
  once(event: string | symbol, listener: (...args: any[]) => void): this;
  prependListener<Name extends keyof ServerListeners>(event: Name, listener: ServerListeners[Name]): this;
  prependListener(event: string | symbol, listener: (...args: any[]) => void): this;
  prependOnceListener<Name extends keyof ServerListeners>(event: Name, listener: ServerListeners[Name]): this;
  prependOnceListener(event: string | symbol, listener: (...args: any[]) => void): this;
  emit<Name extends keyof ServerListeners>(event: Name, ...args: Parameters<ServerListeners[Name]>): boolean;
  emit(event: string | symbol, ...args: any[]): boolean;
}

export function createServer(connectionListener?: (socket: Socket) => void): Server;
export function createServer(options?: ServerOptions | null, connectionListener?: (socket: Socket) => void): Server;

export function connect(options: ConnectOptions, connectionListener?: () => void): Socket;
export function connect(port: number, host?: string, connectionListener?: () => void): Socket;
export function connect(port: number, connectionListener?: () => void): Socket;
export function connect(path: string, connectionListener?: () => void): Socket;

export { connect as createConnection };

export interface PumpOptions {
  /** Whether `to` is ended. Default: true. */
  end?: boolean | undefined;
  /** Destroys both sockets. */
  signal?: AbortSignal | undefined;
}

/**
 * For sockets of this module and the pipes of a child: carries all bytes of one to another, or to itself, past JavaScript, and then ends that one. Resolves with their
 * number. On failure both are destroyed, and it rejects with the error of either, `ERR_STREAM_PREMATURE_CLOSE`,
 * `ERR_SOCKET_CLOSED` or an AbortError.
 *
 * @throws ERR_INVALID_ARG_TYPE, ERR_INVALID_ARG_VALUE
 */
export function pump(from: Readable, to: Writable, options?: PumpOptions): Promise<number>;
