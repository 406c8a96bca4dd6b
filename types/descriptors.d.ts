// pipewright/descriptors: descriptors as objects, and passing them over Unix sockets.

import { EventEmitter } from 'node:events';
import * as fs from 'node:fs';
import * as net from 'node:net';

import { ListenOptions, Server, ServerOptions, Socket, SocketOptions } from './net';

/** What a postMessage() carries in place of a Descriptor. */
export interface DescriptorToken {
  readonly pipewrightDescriptor: number;
}

export type DescriptorType =
  | 'tcp'
  | 'tcp-server'
  | 'udp'
  | 'unix'
  | 'unix-server'
  | 'unix-datagram'
  | 'unix-seqpacket'
  | 'unix-seqpacket-server'
  | 'socket'
  | 'file'
  | 'directory'
  | 'pipe'
  | 'fifo'
  | 'tty'
  | 'character-device'
  | 'block-device'
  | 'memfd'
  | 'eventfd'
  | 'pidfd'
  | (string & {});

/** An open file descriptor with one owner. */
export class Descriptor {
  /** Takes ownership. @throws ERR_INVALID_ARG_TYPE, ERR_OUT_OF_RANGE, EBADF */
  constructor(fd: number);
  /** Claims a token, owns a number. @throws ERR_INVALID_ARG_TYPE, ERR_DESCRIPTOR_UNKNOWN */
  static from(value: DescriptorToken | Descriptor | number): Descriptor;
  static isDescriptor(value: unknown): value is Descriptor;

  /** -1 once it was closed or taken. */
  readonly fd: number;
  readonly isOpen: boolean;
  /** Looked up when it is first asked for. @throws ERR_DESCRIPTOR_CLOSED */
  readonly type: DescriptorType;
  /** O_NONBLOCK, which belongs to the open file and travels with it. */
  isNonBlocking: boolean;

  close(): void;
  /** The number, the caller's from now on. @throws ERR_DESCRIPTOR_CLOSED, ERR_DESCRIPTOR_BUSY */
  take(): number;
  duplicate(): Descriptor;
  /** For another thread: see from(). */
  transfer(): DescriptorToken;

  toSocket(options?: Omit<SocketOptions, 'fd' | 'handle'>): Socket;
  toServer(connectionListener?: (socket: Socket) => void): Server;
  toServer(options?: ServerOptions | null, connectionListener?: (socket: Socket) => void): Server;
  toNodeSocket(options?: Omit<net.SocketConstructorOpts, 'fd'>): net.Socket;
  toNodeServer(connectionListener?: (socket: net.Socket) => void): net.Server;
  toNodeServer(options?: net.ServerOpts, connectionListener?: (socket: net.Socket) => void): net.Server;
  toReadStream(options?: Parameters<typeof fs.createReadStream>[1]): fs.ReadStream;
  toWriteStream(options?: Parameters<typeof fs.createWriteStream>[1]): fs.WriteStream;

  [Symbol.dispose](): void;
}

/** What can be sent: a number, and what has one. */
export type Sendable =
  | number
  | Descriptor
  | DescriptorPasser
  | net.Socket
  | net.Server
  | { readonly fd: number }
  | { readonly pidfd: number }
  | { pidfd(): number | null };

export interface SendOptions {
  /** Do not close ours after it was sent. Numbers and Node's objects never are closed. */
  keep?: boolean | undefined;
}

export interface PasserOptions {
  /** A connected Unix stream socket. A number is owned from now on. */
  socket?: number | Descriptor | net.Socket | undefined;
  /** A pair of them, of which parent() or child() keeps one. */
  sockets?: readonly (number | Descriptor)[] | undefined;
  /** Descriptors a message; default 1, which is what AnyEvent::FDpasser understands. */
  batch?: number | undefined;
  /** A message with more ends the passer with ERR_DESCRIPTORS_TOO_MANY; default 253. */
  maxDescriptors?: number | undefined;
  /** Default true. */
  setNonBlocking?: boolean | undefined;
}

export interface PasserStats {
  sent: number;
  received: number;
  failed: number;
  queued: number;
  waiting: number;
  unclaimed: number;
  tableWaits: number;
  isWaitingForTable: boolean;
  sendWaits: number;
  isNonBlocking: boolean;
}

/** Events: 'end', 'error', 'close'. */
export class DescriptorPasser extends EventEmitter implements AsyncIterable<Descriptor> {
  constructor(target?: PasserOptions | number | Descriptor | net.Socket);
  static pair(options?: Omit<PasserOptions, 'socket' | 'sockets'>): [DescriptorPasser, DescriptorPasser];
  static listen(target: string | ListenOptions): Promise<Server>;
  static accept(server: Server, options?: Omit<PasserOptions, 'socket' | 'sockets'>): Promise<DescriptorPasser>;
  static connect(path: string, options?: Omit<PasserOptions, 'socket' | 'sockets'>): Promise<DescriptorPasser>;

  parent(): this;
  child(): this;
  /** For a child's stdio, until parent() was called. */
  readonly childFd: number;

  /** Done when the kernel has it. */
  send(item: Sendable, options?: SendOptions): Promise<void>;
  send(item: Sendable, options: SendOptions | undefined, callback: (error: Error | null) => void): void;
  send(item: Sendable, callback: (error: Error | null) => void): void;
  receive(): Promise<Descriptor>;
  receive(callback: (error: Error | null, descriptor?: Descriptor) => void): void;
  [Symbol.asyncIterator](): AsyncIterator<Descriptor>;

  /** Closes once all that is queued was sent. */
  end(): Promise<void>;
  close(): void;
  /** Its socket, to go elsewhere. @throws ERR_DESCRIPTOR_UNREAD_DATA */
  detach(): Descriptor;

  readonly fd: number;
  readonly closed: boolean;
  stats(): PasserStats;
  ref(): this;
  unref(): this;
  [Symbol.dispose](): void;
  [Symbol.asyncDispose](): Promise<void>;
}

/** Two connected Unix sockets. */
export function socketpair(options?: {
  type?: 'stream' | 'datagram' | 'seqpacket' | undefined;
}): [Descriptor, Descriptor];

/** A Descriptor that owns the same; an object of ours is closed, of others a copy is made. */
export function toDescriptor(item: Sendable): Descriptor;
