// pipewright/binding: the native classes, as lib/ uses them. Methods return 0 or a
// negative errno unless said otherwise, and never throw. See docs/binding.md.

import { PeerCredentials } from './net';

/** { address, family, port } of an IP socket. */
export interface IpName {
  address: string;
  family: 'IPv4' | 'IPv6';
  port: number;
}

/** What every handle has. */
export interface Handle {
  /** The descriptor; UV_EBADF when it is not open. */
  readonly fd: number;
  getFd(): number;
  getAsyncId(): number;
  ref(): number;
  unref(): number;
  hasRef(): boolean;
  /** 0, and `onclose` follows; 1 when it was never opened; UV_EBADF the second time. */
  close(callback?: () => void): number;
  onclose?: () => void;
}

/** What PipeWrap and TcpWrap have in common. */
export interface StreamHandle extends Handle {
  readonly bytesRead: number;
  readonly bytesWritten: number;
  readonly writeQueueSize: number;
  getBytesRead(): number;
  getBytesWritten(): number;
  getWriteQueueSize(): number;
  /** For whoever reads to remember whether reads are under way. */
  reading: boolean;
  /** Takes over the descriptor, unless it fails. */
  open(fd: number): number;
  readStart(): number;
  readStop(): number;
  /** All further reads go there, and `onread` gets no chunk. */
  useUserBuffer(buffer: ArrayBufferView): number;
  /** 0 when the kernel took all at once, 1 when `onwrite(status)` will follow. */
  writeBuffer(buffer: ArrayBufferView): number;
  writeBuffers(buffers: readonly ArrayBufferView[]): number;
  writeUtf8String(text: string): number;
  writeLatin1String(text: string): number;
  /** `onshutdown(status)` follows. */
  shutdown(): number;
  /** Bytes read, or a negative errno (UV_EOF: -4095); no chunk with a user buffer. */
  onread?: (nread: number, chunk: Buffer | null) => void;
  onwrite?: ((status: number) => void) | undefined;
  onconnect?: ((status: number) => void) | undefined;
  onshutdown?: ((status: number) => void) | undefined;
}

/** A uv_pipe_t: a connected Unix stream socket, a FIFO or a pipe(7). */
export class PipeWrap {
  /** `asyncType`: the type of its events in async_hooks, where that is not the default. */
  constructor(asyncType?: string);
  /** To a path or an abstract name. `onconnect(status)` follows. */
  connect(name: string): number;
}
export interface PipeWrap extends StreamHandle {}

/** A uv_tcp_t: a connected TCP socket. */
export class TcpWrap {
  constructor(asyncType?: string);
  bind(address: string, port: number): number;
  /** To an address in numbers. `onconnect(status)` follows. */
  connect(address: string, port: number): number;
  getsockname(): IpName | number;
  getpeername(): IpName | number;
  setNoDelay(enable: boolean): number;
  setKeepAlive(enable: boolean, seconds: number): number;
  /** Closes with a RST; `onclose` follows. */
  reset(): number;
}
export interface TcpWrap extends StreamHandle {}

export interface ListenOnPathOptions {
  path: string;
  backlog?: number | undefined;
  mode?: number | undefined;
  /** Bits to add to the mode that bind(2) made. */
  addMode?: number | undefined;
  uid?: number | undefined;
  gid?: number | undefined;
  replaceStale?: boolean | undefined;
}

export interface ListenOnAddressOptions {
  address: string;
  port?: number | undefined;
  backlog?: number | undefined;
  ipv6Only?: boolean | undefined;
  reusePort?: boolean | undefined;
}

/** A listening socket on a uv_poll_t. */
export class Listener {
  constructor(asyncType?: string);
  listenOnPath(options: ListenOnPathOptions): number;
  listenOnAddress(options: ListenOnAddressOptions): number;
  /** Takes over the descriptor, unless it fails. */
  listenOnFd(fd: number, backlog: number): number;
  /** Goes on after an error or an overload, which stop it. */
  accept(): number;
  /** Leaves the socket file to somebody else: close() will not remove it. */
  keepFile(): void;
  /** Removes the socket file now, if it still is the one that was made. */
  removeFile(): void;
  /** The name, as socketName() gives it. */
  getsockname(): string | IpName | number | undefined;
  /**
   * (0, fd): a connection, non-blocking and close-on-exec, which is the callee's.
   * (errno, 1): no descriptor or memory for it; (errno, 0): another error. Both stop it.
   */
  onconnection?: (status: number, fd: number) => void;
}
export interface Listener extends Handle {}

/** How many handles are open, those of this copy of the package. */
export function activeHandles(): number;

/** SO_PEERCRED and SO_PEERGROUPS; or a negative errno. */
export function peerCredentials(fd: number): PeerCredentials | number;

/** getsockname(2): a path, an address, undefined without a name; or a negative errno. */
export function socketName(fd: number): string | IpName | number | undefined;

/** Sets FD_CLOEXEC. */
export function closeOnExec(fd: number): number;
