// pipewright/channel: framed messages, with descriptors, over Unix stream sockets.

import { EventEmitter } from 'node:events';
import * as nodeNet from 'node:net';

import { Descriptor, Sendable, SendOptions } from './descriptors';
import { FdListenOptions, PathListenOptions, PeerCredentials, Server, Socket } from './net';

export interface ChannelOptions {
  /** Default 'json'. Both sides need the same. */
  serialization?: 'json' | 'advanced' | 'raw' | undefined;
  /** Of one message, each way; default 64 MiB. A longer one of the peer's ends the channel. */
  maxMessageBytes?: number | undefined;
  /** Of one message of the peer's, 0 to 32; default 32. A message with more ends the channel. */
  maxDescriptors?: number | undefined;
  /** Bytes queued at which send() returns false; default 256 KiB. */
  highWaterMark?: number | undefined;
}

export interface RequestOptions extends SendOptions {
  /** Milliseconds; default 0: none. */
  timeout?: number | undefined;
  signal?: AbortSignal | undefined;
  /** At most 32. */
  descriptors?: Iterable<Sendable> | null | undefined;
}

/** What came: a message, and its descriptors, which are the receiver's to close. */
export interface Received<T = any> {
  message: T;
  descriptors: readonly Descriptor[];
}

export interface ChannelStats {
  bytesRead: number;
  bytesWritten: number;
  /** Bytes that send() took and the kernel did not yet. */
  queuedBytes: number;
  /** Messages and requests that came and were not taken yet. */
  held: number;
  /** Our requests that wait for a reply. */
  requests: number;
  /** How often the table of descriptors was full. */
  tableWaits: number;
  isWaitingForTable: boolean;
}

declare const reply: unique symbol;

/** What Channel.reply() gives, for a handler of requests to return. */
export interface ChannelReply {
  readonly [reply]: true;
}

interface ServingOptions extends ChannelOptions {
  /** Whether a peer is let in; as of createServer(). */
  allowPeer?: ((peer: PeerCredentials) => boolean) | undefined;
}

export type ChannelListenOptions = ServingOptions & (PathListenOptions | FdListenOptions);

export interface ChannelConnectOptions extends ChannelOptions {
  path: string;
  signal?: AbortSignal | undefined;
}

/** A server of pipewright/net that makes a Channel of each connection. Its 'close' does not wait for them. */
export interface ChannelServer extends Server {
  addListener(event: 'channel', listener: (channel: Channel) => void): this;
  addListener(event: string | symbol, listener: (...args: any[]) => void): this;
  on(event: 'channel', listener: (channel: Channel) => void): this;
  on(event: string | symbol, listener: (...args: any[]) => void): this;
  once(event: 'channel', listener: (channel: Channel) => void): this;
  once(event: string | symbol, listener: (...args: any[]) => void): this;
}

/**
 * Messages, requests and replies both ways over one Unix stream socket, in order, each with
 * descriptors if wanted. Can be iterated: the messages as they come.
 */
export class Channel extends EventEmitter implements AsyncIterable<Received> {
  /**
   * @param target a connected Unix stream socket, which is the channel's from now on
   * @throws ERR_INVALID_ARG_TYPE, ERR_INVALID_ARG_VALUE, ERR_OUT_OF_RANGE, ERR_INVALID_FD_TYPE,
   *   ERR_DESCRIPTOR_UNREAD_DATA, or the system's error
   */
  constructor(target: number | Descriptor | Socket | nodeNet.Socket, options?: ChannelOptions);

  /** A server that emits 'channel' for each peer. */
  static listen(target: string | ChannelListenOptions, listener?: (channel: Channel) => void): ChannelServer;
  /** A channel to such a server. */
  static connect(target: string | ChannelConnectOptions): Promise<Channel>;
  /** A reply with descriptors. */
  static reply(message: any, descriptors?: Iterable<Sendable> | null, options?: SendOptions): ChannelReply;

  /** False if the peer is slow: 'drain' will follow. @throws ERR_CHANNEL_CLOSED, ERR_CHANNEL_MESSAGE_TOO_LARGE */
  send(message: any, descriptors?: Iterable<Sendable> | null, options?: SendOptions): boolean;
  /** The same, and resolves once the kernel has taken the message. */
  sent(message: any, descriptors?: Iterable<Sendable> | null, options?: SendOptions): Promise<void>;
  /** Resolves with the reply of the peer's handler. */
  request<T = any>(message: any, options?: RequestOptions): Promise<Received<T>>;
  /** Answers the peer's requests with what the handler returns, or its promise gives. */
  onRequest(handler: ((message: any, descriptors: readonly Descriptor[]) => any) | null): this;

  /** Sends what is queued, then closes; resolves with 'close'. */
  close(): Promise<void>;
  /** Closes at once. `error` is the reason given with 'close'. */
  destroy(error?: Error | null): this;

  readonly isOpen: boolean;
  readonly closed: boolean;
  /** -1 once it was closed. */
  readonly fd: number;
  readonly queuedBytes: number;
  /** @throws ERR_CHANNEL_CLOSED */
  peerCredentials(): PeerCredentials;
  stats(): ChannelStats;
  ref(): this;
  unref(): this;

  [Symbol.asyncIterator](): AsyncIterableIterator<Received>;
  [Symbol.dispose](): void;
  [Symbol.asyncDispose](): Promise<void>;

  addListener(event: 'message', listener: (message: any, descriptors: readonly Descriptor[]) => void): this;
  addListener(event: 'close', listener: (reason: Error | null) => void): this;
  addListener(event: 'drain', listener: () => void): this;
  addListener(event: string | symbol, listener: (...args: any[]) => void): this;
  on(event: 'message', listener: (message: any, descriptors: readonly Descriptor[]) => void): this;
  on(event: 'close', listener: (reason: Error | null) => void): this;
  on(event: 'drain', listener: () => void): this;
  on(event: string | symbol, listener: (...args: any[]) => void): this;
  once(event: 'message', listener: (message: any, descriptors: readonly Descriptor[]) => void): this;
  once(event: 'close', listener: (reason: Error | null) => void): this;
  once(event: 'drain', listener: () => void): this;
  once(event: string | symbol, listener: (...args: any[]) => void): this;
}
