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
  /** Whether something was read and not delivered yet. */
  hasUnread(): boolean;
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
  /** All further reads go there, and `onread` gets no chunk. Without room in it: ENOBUFS. null: no more. */
  useUserBuffer(buffer: ArrayBufferView | null): number;
  /** 0 when the kernel took all at once, 1 when `onwrite(status)` will follow. */
  writeBuffer(buffer: ArrayBufferView): number;
  writeBuffers(buffers: readonly ArrayBufferView[]): number;
  writeUtf8String(text: string): number;
  writeLatin1String(text: string): number;
  /** `onshutdown(status)` follows. */
  shutdown(): number;
  /** This stream is one of a running child's stdio: the child's `onexit` comes after what it reads. */
  joinGroup(child: ProcessWrap): number;
  /** Bytes read, or a negative errno (UV_EOF: -4095); no chunk with a user buffer. */
  onread?: (nread: number, chunk: Buffer | null) => void;
  /**
   * Set, it gets small reads in place of `onread`: a range of memory that is used again after
   * the call, and must not be changed. The end and larger reads come to `onread`.
   */
  viewer?: ((memory: Buffer, start: number, end: number) => void) | undefined;
  onwrite?: ((status: number) => void) | undefined;
  onconnect?: ((status: number) => void) | undefined;
  onshutdown?: ((status: number) => void) | undefined;
}

export interface LibuvStreamHandle extends StreamHandle {
  /**
   * What is read from now on is written to that stream at once. `onread` gets what it does not take, in the user's
   * buffer, which there has to be; reading has stopped then. null: no more.
   */
  forwardTo(stream: PipeWrap | TcpWrap | null): number;
}

/** A uv_pipe_t: a connected Unix stream socket, a FIFO or a pipe(7). */
export class PipeWrap {
  /** `asyncType`: the type of its events in async_hooks, where that is not the default. */
  constructor(asyncType?: string);
  /** To a path or an abstract name. `onconnect(status)` follows. */
  connect(name: string): number;
}
export interface PipeWrap extends LibuvStreamHandle {}

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
  /** IP_TOS, IPV6_TCLASS; 0 to 255. */
  setTypeOfService(value: number): number;
  getTypeOfService(): number;
  /** Closes with a RST; `onclose` follows. */
  reset(): number;
}
export interface TcpWrap extends LibuvStreamHandle {}

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
  /** With a socket that listens already, whose backlog stays. */
  listenOnShared(fd: number): number;
  /** Goes on after an error, which stops it; after an overload now, not later. */
  accept(): number;
  /** Closes a descriptor that `onconnection` gave, unused. */
  reject(fd: number): number;
  /** Leaves the socket file to somebody else: close() will not remove it. */
  keepFile(): void;
  /** Removes the socket file now, if it still is the one that was made. */
  removeFile(): void;
  /** The file that close() removes, for ownFile() in another process; empty: none. */
  getFile(): string | number;
  /** Has close() remove the file of another process's getFile(). */
  ownFile(file: string): number;
  /** The name, as socketName() gives it. */
  getsockname(): string | IpName | number | undefined;
  /**
   * (0, fd): a connection, non-blocking and close-on-exec, which is the callee's.
   * (errno, 1): no descriptor or memory for it, once until there is; it goes on by itself.
   * (errno, 0): another error, which stops it. After close(): what was accepted before.
   * Without it connections are closed.
   */
  onconnection?: (status: number, fd: number) => void;
}
export interface Listener extends Handle {}

/** The socket to one worker of a ConnectionDispatcher. */
export class ConnectionSender {
  constructor(asyncType?: string);
  /** Takes over a seqpacket socket, unless it fails. */
  open(fd: number): number;
  /** Makes the page that the worker shares with this process; returns a descriptor of it for the worker. */
  createPage(): number;
  pause(): number;
  resume(): number;
  /** From `accepted` on the worker's word, if there is a page: heartbeat is a time of CLOCK_MONOTONIC, in milliseconds. */
  getCounters(): {
    assigned: number;
    active: number;
    unacknowledged: number;
    kept: number;
    ended: number;
    refused: number;
    waitedFor: number;
    accepted?: number;
    closed?: number;
    heartbeat?: number;
    loopDelay?: number;
  };
  /** UV_EOF or an errno, once: the worker has closed its end. */
  reader?: (status: number) => void;
}
export interface ConnectionSender extends Handle {}

/** The worker's end of that socket, and its page. */
export class ConnectionReceiver {
  constructor(asyncType?: string);
  /** Takes over the socket, unless it fails. `interval`: milliseconds between two heartbeats. */
  open(fd: number, page: number, interval: number): number;
  /** Descriptor, id and listener's number of each connection that has come. */
  takeConnections(): Uint32Array;
  /** The worker has accepted one by itself. */
  countAccepted(): number;
  /** The next answer reports it; 0: one that the worker has accepted by itself. */
  connectionClosed(id: number): number;
  /** Sends the ids of connections that were read from, of others that the program has got, and of closed ones. */
  answer(read: Uint32Array, taken: Uint32Array): number;
  /** Connections wait for takeConnections(). */
  onconnections?: () => void;
  /** UV_EOF or an errno, once: the primary has gone. */
  reader?: (status: number) => void;
}
export interface ConnectionReceiver extends Handle {}

/** Hands what Listeners accept to workers. */
export class ConnectionDispatcher {
  constructor(asyncType?: string);
  open(options: {
    schedule: 'round-robin' | 'least-connections' | 'sticky' | 'shared' | 'function';
    stickyBy: 'uid' | 'pid';
    maxUnacknowledged: number;
    /** Milliseconds after which the copy of a silent connection is closed. */
    keepTime: number;
    /** Milliseconds that a connection waits for its client's first bytes, if there are `peekBytes`; 0: without end. */
    firstBytesTimeout: number;
    peekBytes: number;
  }): number;
  addListener(listener: Listener, number: number): number;
  /** `slot`: its place among the workers, from 0. */
  addWorker(sender: ConnectionSender, slot: number): number;
  /** To be called once the worker has ended. Returns how many of its connections go to others. */
  removeWorker(sender: ConnectionSender): number;
  /** The workers are threads of this process: leaves room in the table for what they have yet to take. */
  shareTable(): number;
  /** With schedule 'function': what is to be chosen for. */
  takeUndecided(): { id: number; listener: number; client: IpName | PeerCredentials | number; bytes: Buffer }[];
  /** Gives each connection of `ids` to the worker in that slot; -1: to any. */
  choose(ids: Uint32Array, slots: Int32Array): number;
  getCounters(): {
    accepted: number;
    pending: number;
    silent: number;
    moved: number;
    ended: number;
    dropped: number;
    handedOn: number;
  };
  /** Accepts nothing until resume(). */
  pause(): number;
  resume(): number;
  /** Dispatches a connection as if the listener of that number had accepted it. Takes the descriptor, unless it fails. */
  adopt(fd: number, number: number): number;
  /** The same with one that a worker gives back, which had it as `id`. */
  takeBack(sender: ConnectionSender, id: number, fd: number, number: number): number;
  /** Accepts what the backlog of the listener has, unless it is paused. Returns how many connections wait for a worker. */
  acceptRest(listener: Listener): number;
  /** [fd, number of the listener, fd, …] of connections that wait for a worker: the caller's from then on. */
  takePending(): number[];
  /** false: no worker has room, and nothing is accepted; true: one has again. */
  onroom?: (hasRoom: boolean) => void;
  /** Connections wait for takeUndecided(). */
  onchoice?: () => void;
}
export interface ConnectionDispatcher extends Handle {}

/** One message, as MessageSocket has it. */
export interface ReceivedMessage {
  data: Buffer;
  descriptors: number[];
  /** The sender's name, where it has one. */
  sender?: string;
  pid?: number;
  uid?: number;
  gid?: number;
}

/** A Unix socket of any type, with descriptors and credentials beside the bytes. */
export class MessageSocket {
  constructor(asyncType?: string);
  open(fd: number, keepBlocking?: boolean): number;
  /** `type`: SOCK_* as a number. */
  create(type: number, credentials?: boolean): number;
  bind(name: string): number;
  /** `onconnect(status)` follows. */
  connect(name: string): number;
  /** The descriptor, and closes the handle; UV_EBUSY while something is unread or unsent. */
  detach(): number;
  keepFile(): void;
  removeFile(): void;
  /** Of a stream: reads until so many more descriptors came; its bytes are dropped. */
  receive(count: number): number;
  /** So many bytes are read without a look for descriptors; any in them are dropped. */
  setPlainBytes(count: number): number;
  /** A message with more ends reading with UV_E2BIG. */
  setMaxDescriptors(count: number): number;
  takeDescriptors(): number[];
  takeMessages(): ReceivedMessage[];
  /** Descriptors stay the caller's, and must stay open until they were sent. */
  writeBuffer(buffer: ArrayBufferView, descriptors?: Int32Array): number;
  writeBuffers(buffers: readonly ArrayBufferView[], descriptors?: readonly (Int32Array | undefined)[]): number;
  /** 0: sent; 1: `onsent` follows. */
  send(buffer: ArrayBufferView, descriptors?: Int32Array | null, name?: string): number;
  /** How many were sent at once; `onsent` tells of the others. */
  sendDescriptors(descriptors: Int32Array | number, batch?: number): number;
  getCounters(): MessageSocketCounters;
  readonly counters: MessageSocketCounters;
  /** The callee's to close; without it, and without `onmessages`, they are closed. */
  ondescriptors?: (descriptors: number[]) => void;
  onmessages?: (list: ReceivedMessage[]) => void;
  onsent?: (count: number, status: number) => void;
}
export interface MessageSocket extends Omit<StreamHandle, 'open' | 'writeBuffer' | 'writeBuffers' | 'joinGroup'> {}

export interface MessageSocketCounters {
  descriptorsRead: number;
  descriptorsWritten: number;
  messagesQueued: number;
  tableWaits: number;
  sendWaits: number;
  isWaitingForTable: boolean;
}

/** What a child is started with. A wrong value gives UV_EINVAL. */
export interface SpawnOptions {
  /** A path, or a name to be looked for in the PATH of `env`. */
  file: string;
  /** The first one is the name the child goes by. */
  args: readonly string[];
  /** 'NAME=value'; not given: this process's. */
  envPairs?: readonly string[] | null | undefined;
  cwd?: string | null | undefined;
  /** In a session of its own. */
  detached?: boolean | null | undefined;
  uid?: number | null | undefined;
  gid?: number | null | undefined;
  /** Not given: none when `uid` or `gid` is given, else this process's. */
  groups?: readonly number[] | null | undefined;
  umask?: number | null | undefined;
  /** [RLIMIT_* number, soft, hard]; Infinity for no limit. */
  rlimits?: readonly (readonly [number, number, number])[] | null | undefined;
  /** 0: one of its own. */
  processGroup?: number | null | undefined;
  priority?: number | null | undefined;
  /** Sent when the thread that spawned it ends. */
  parentDeathSignal?: number | null | undefined;
  noNewPrivileges?: boolean | null | undefined;
  /** true unless given: nothing but stdio is inherited. With engine 'uv' always as false. */
  closeDescriptors?: boolean | null | undefined;
  /** Which of the child's descriptors; needs `detached`. */
  controllingTerminal?: number | null | undefined;
  /** 'uv' knows none of `groups` to `noNewPrivileges`, and no `controllingTerminal`: UV_ENOTSUP. */
  engine?: 'vfork' | 'uv' | null | undefined;
}

/** As process.resourceUsage(), but `maxRSS` is in bytes, and at least what this process had when it spawned. */
export interface ChildResourceUsage {
  userCPUTime: number;
  systemCPUTime: number;
  maxRSS: number;
  minorPageFault: number;
  majorPageFault: number;
  fsRead: number;
  fsWrite: number;
  voluntaryContextSwitches: number;
  involuntaryContextSwitches: number;
}

/** One child process. Its `fd` is the pidfd; -1 where the kernel has none. */
export class ProcessWrap {
  /**
   * Returns once the program runs, or could not be started. May be tried again after a failure.
   *
   * @param stdio for each of the child's descriptors ours, or -1 for /dev/null (0 to 2) or none (above)
   */
  spawn(options: SpawnOptions, stdio: readonly number[]): number;
  /** What failed: 'clone' 'stdio' 'chdir' 'setuid' 'exec'…; undefined where nothing did, or it is not known. */
  failedStep(): string | undefined;
  /** 0 before a child was started. */
  pid(): number;
  /** UV_ESRCH once the child has ended. */
  kill(signal: number): number;
  /** undefined before the exit, and where somebody else has reaped the child. */
  resourceUsage(): ChildResourceUsage | undefined;
  /** `code` is null when a signal ended it; both are none when somebody else has reaped it on an old kernel. */
  onexit?: (code: number | null, signal: number) => void;
}
export interface ProcessWrap extends Handle {}

export interface SpawnSyncOptions extends SpawnOptions {
  /** Bytes from each descriptor; 0 or Infinity for no limit. */
  maxBuffer?: number | null | undefined;
  /** Milliseconds. */
  timeout?: number | null | undefined;
  killSignal?: number | null | undefined;
  /** Milliseconds from killSignal to SIGKILL. */
  forceKillAfter?: number | null | undefined;
  /** 'exit': grandchildren that hold the descriptors are not waited for. */
  closeOn?: 'stdio' | 'exit' | null | undefined;
}

export interface SpawnSyncResult {
  /** 0 where there was no child. */
  pid: number;
  status: number | null;
  signal: number | null;
  /** By descriptor; null where there was no child. */
  output: (Buffer | null)[] | null;
  /** 0 or a negative errno: why it could not start, UV_ETIMEDOUT, UV_ENOBUFS, UV_EPIPE… */
  error: number;
  errorStep: string | undefined;
  resourceUsage: ChildResourceUsage | undefined;
  timedOut: boolean;
}

/**
 * Starts a child and waits for its end. A number: UV_EINVAL for a wrong argument.
 *
 * @param stdio as for ProcessWrap.spawn()
 * @param pipes the child's descriptors that are connected with us; 0 only to write to
 * @param input for each descriptor what to write to it
 */
export function spawnSync(
  options: SpawnSyncOptions,
  stdio: readonly number[],
  pipes?: readonly number[] | null,
  input?: readonly (ArrayBufferView | null | undefined)[] | null,
): SpawnSyncResult | number;

/** A uv_signal_t, in any thread. */
export class SignalWrap {
  /** Started again, it watches the other signal instead. */
  start(signal: number): number;
  /** What has not been delivered is forgotten. */
  stop(): number;
  onsignal?: (signal: number) => void;
}
export interface SignalWrap extends Handle {}

/** Two connected stream sockets, close-on-exec and blocking; or a negative errno. */
export function stdioSocketPair(): [number, number] | number;

/** pipe(7), close-on-exec and blocking: [end to read, end to write]; or a negative errno. */
export function pipe(): [number, number] | number;

/** close(2). */
export function closeFd(fd: number): number;

/** close(2), in the thread pool where it may take long. */
export function closeInBackground(fd: number): number;

/** A copy, close-on-exec. */
export function duplicateFd(fd: number): number;

/** Two Unix sockets of that SOCK_* type, close-on-exec and non-blocking; or a negative errno. */
export function socketPair(type: number): [number, number] | number;

/** As `type` of a Descriptor; or a negative errno. */
export function descriptorType(fd: number): string | number;

/** fcntl(2), F_GETFL. */
export function getFlags(fd: number): number;

export function setBlocking(fd: number, blocks: boolean): number;

/** SO_PASSRIGHTS: whether the peer may send descriptors. Without effect before Linux 6.16. */
export function allowDescriptors(fd: number, allowed: boolean): number;

/** Whether these functions or a Listener made it for this thread, and nobody has it yet. */
export function isOwn(fd: number): boolean;

/** Whether a handle of this thread has it, ours or Node's. */
export function hasHandle(fd: number): boolean;

/** Calls `open` of a handle of Node's, which has the descriptor if that returns 0: as one step for a thread that ends. */
export function openForeign(fd: number, handle: object, open: (fd: number) => number): number;

/** Its reader gets what has come, and then the end. */
export function shutDownReading(fd: number): number;

/** It is the caller's, and no longer closed when this thread ends. */
export function untrackFd(fd: number): number;

/** A number by which another thread can claim it, once. Unclaimed, it is closed when this thread ends. */
export function leaveDescriptor(fd: number): number;

/** The descriptor; UV_ENOENT where it was claimed, or its thread has ended. */
export function claimDescriptor(token: number): number;

/** How many handles are open, those of this copy of the package. */
export function activeHandles(): number;

/** From now on the end of the parent sends this process no signal (parentDeathSignal of spawn()). */
export function ignoreParentDeath(): number;
/** SO_PEERCRED and SO_PEERGROUPS; or a negative errno. */
export function peerCredentials(fd: number): PeerCredentials | number;

/** getsockname(2): a path, an address, undefined without a name; or a negative errno. */
export function socketName(fd: number): string | IpName | number | undefined;

/** Sets FD_CLOEXEC. */
export function closeOnExec(fd: number): number;
