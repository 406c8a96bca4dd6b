// pipewright/dgram: Unix sockets that keep message borders.

import { EventEmitter } from 'node:events';

import { Descriptor, Sendable } from './descriptors';

export interface UnixSocketOptions {
  /** Default 'datagram'. */
  type?: 'datagram' | 'seqpacket' | undefined;
  /** An open socket of that type, owned from now on. */
  socket?: Descriptor | number | undefined;
  /** Tell of each message who sent it. */
  credentials?: boolean | undefined;
  /** Receive descriptors; default false: they are refused, or closed. */
  descriptors?: boolean | undefined;
  /** Of a message; default 253. */
  maxDescriptors?: number | undefined;
  /** Closes it. */
  signal?: AbortSignal | undefined;
}

export interface MessageInfo {
  /** The sender's name, where it has one. */
  path: string | undefined;
  size: number;
  pid?: number;
  uid?: number;
  gid?: number;
  descriptors?: Descriptor[];
}

export interface SendMessageOptions {
  path?: string | undefined;
  descriptors?: readonly Sendable[] | undefined;
  keep?: boolean | undefined;
}

export type Message = string | Uint8Array | readonly (string | Uint8Array)[];

export class UnixSocket extends EventEmitter {
  constructor(options?: UnixSocketOptions | 'datagram' | 'seqpacket');
  bind(target: string | { path: string }, callback?: () => void): this;
  connect(target: string | { path: string }, callback?: () => void): this;
  send(message: Message, options?: string | SendMessageOptions): Promise<void>;
  send(message: Message, callback: (error: Error | null) => void): void;
  send(
    message: Message,
    options: string | SendMessageOptions | undefined,
    callback: (error: Error | null) => void,
  ): void;
  close(callback?: () => void): this;
  address(): string | null;
  readonly fd: number;
  ref(): this;
  unref(): this;
  on(event: 'message', listener: (data: Buffer, info: MessageInfo) => void): this;
  on(event: 'connection', listener: (socket: UnixSocket) => void): this;
  /** Of a bound seqpacket socket: no descriptor is left to accept with; its clients wait. */
  on(event: 'overload', listener: (reason: NodeJS.ErrnoException) => void): this;
  on(event: 'listening' | 'connect' | 'end' | 'close', listener: () => void): this;
  on(event: 'error', listener: (error: Error) => void): this;
  on(event: string | symbol, listener: (...args: any[]) => void): this;
  [Symbol.asyncDispose](): Promise<void>;
}

export function createSocket(options?: UnixSocketOptions | 'datagram' | 'seqpacket'): UnixSocket;
