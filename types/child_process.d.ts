// pipewright/child_process: the declarations of node:child_process, with what pipewright
// adds. See docs/child_process.md.

import * as node from 'node:child_process';
import * as dgram from 'node:dgram';
import * as nodeNet from 'node:net';
import { Readable, Stream, Writable } from 'node:stream';

import { Channel, ChannelOptions } from './channel';
import { Descriptor } from './descriptors';
import { Server, Socket } from './net';

export {
  ExecException,
  MessageOptions,
  PromiseWithChild,
  SendHandle,
  Serializable,
  SerializationType,
  SpawnSyncReturns,
} from 'node:child_process';

/** One of the child's descriptors. 'fifo' is a pipe(2), which goes one way and which the child can open again. */
export type IOType = node.IOType | 'fifo';
export type StdioOptions =
  IOType | Array<IOType | 'ipc' | Stream | { readonly fd: number } | number | null | undefined>;

/** What can go with a message to a process that may have only Node, and what comes from it. */
export type Handle =
  | Socket
  | Server
  | nodeNet.Socket
  | nodeNet.Server
  | dgram.Socket
  | Descriptor
  /** A handle without an object around it, such as `socket._handle`. */
  | { readonly fd: number };

/** What send() takes beside a message and a handle. */
export interface SendMessageOptions {
  /** The socket goes on here too. Default false. */
  keepOpen?: boolean | undefined;
  /** No 'error' if there is no callback. Default false. */
  swallowErrors?: boolean | undefined;
}

/** The channels of a child. */
export interface ChildMessageOptions {
  /** Of Node's channel. Default 'json'. */
  serialization?: 'json' | 'advanced' | undefined;
  /** Milliseconds for a handle to be acknowledged; default 0: no limit. */
  handleTimeout?: number | null | undefined;
  /** Of a message that the child sends; a longer one ends the channel. */
  maxMessageBytes?: number | null | undefined;
  /** A Channel to a child that has pipewright: see parent(). */
  pipewrightChannel?: boolean | ChannelOptions | null | undefined;
}

/** Both limits, or [soft, hard]. Infinity or 'unlimited' for none. */
export type Limit = number | 'unlimited' | readonly [soft: number | 'unlimited', hard: number | 'unlimited'];

/** Limits of setrlimit(2), in its units: bytes, seconds, pieces. */
export interface ResourceLimits {
  as?: Limit | undefined;
  core?: Limit | undefined;
  cpu?: Limit | undefined;
  data?: Limit | undefined;
  fsize?: Limit | undefined;
  locks?: Limit | undefined;
  memlock?: Limit | undefined;
  msgqueue?: Limit | undefined;
  nice?: Limit | undefined;
  nofile?: Limit | undefined;
  nproc?: Limit | undefined;
  rss?: Limit | undefined;
  rtprio?: Limit | undefined;
  rttime?: Limit | undefined;
  sigpending?: Limit | undefined;
  stack?: Limit | undefined;
}

/** What every way to start a child takes beyond Node's options. */
export interface ChildOptions extends ChildMessageOptions {
  /** Number, or name in /etc/passwd. */
  uid?: number | string | null | undefined;
  /** Number, or name in /etc/group. */
  gid?: number | string | null | undefined;
  cwd?: string | URL | Buffer | null | undefined;
  /** Close every other descriptor in the child. Default true. */
  closeDescriptors?: boolean | null | undefined;
  /** 'exit': do not wait for others who hold the child's stdio. Default 'stdio'. */
  closeOn?: 'stdio' | 'exit' | null | undefined;
  /** The child's descriptor that becomes its controlling terminal; implies `detached`. */
  controllingTerminal?: number | null | undefined;
  /** Default: 'vfork' where it works. */
  engine?: 'vfork' | 'uv' | null | undefined;
  /** Milliseconds between killSignal and SIGKILL. Default 0: never. */
  forceKillAfter?: number | null | undefined;
  /** Supplementary groups, by number or name. */
  groups?: ReadonlyArray<number | string> | null | undefined;
  noNewPrivileges?: boolean | null | undefined;
  /** Sent to the child when this process ends. Main thread only. */
  parentDeathSignal?: NodeJS.Signals | number | null | undefined;
  /** -20 (first) to 19 (last). */
  priority?: number | null | undefined;
  /** true: a process group of its own; a number: join that one. */
  processGroup?: boolean | number | null | undefined;
  rlimits?: ResourceLimits | null | undefined;
  /** A number, or a string of octal digits. */
  umask?: number | string | null | undefined;
}

type Widened = 'uid' | 'gid' | 'cwd' | 'stdio' | 'serialization';
type With<Options> = Omit<Options, Widened> & ChildOptions;

/** What it has used, known at its end. */
export interface ResourceUsage {
  /** Microseconds. */
  userCPUTime: number;
  /** Microseconds. */
  systemCPUTime: number;
  /** Bytes; at least what this process had when it started the child. */
  maxRSS: number;
  minorPageFault: number;
  majorPageFault: number;
  fsRead: number;
  fsWrite: number;
  voluntaryContextSwitches: number;
  involuntaryContextSwitches: number;
}

export interface KillOptions {
  /** Also all that the child started. Default false. */
  tree?: boolean | undefined;
}

/** What an error of spawn has. */
export interface SpawnError extends NodeJS.ErrnoException {
  /** What failed on the way to the program; with the engine 'uv' not known. */
  step?: string;
  spawnargs?: string[];
}

export class ChildProcess extends node.ChildProcess {
  /** null until the child has ended. */
  readonly resourceUsage: ResourceUsage | null;
  /** The pidfd, which stays the child's; null once it has ended. */
  pidfd(): number | null;
  /** Whether there was somebody to send it to. */
  kill(signal?: NodeJS.Signals | number, options?: KillOptions): boolean;
  /** With the option `pipewrightChannel`. */
  readonly pipewrightChannel: Channel | null;
  /**
   * false if too much waits to be written. The callback is called once: written, or the handle
   * delivered. Of a handle that was not delivered, the object goes on here; without a callback it is closed.
   */
  send(message: node.Serializable, callback?: (error: Error | null) => void): boolean;
  send(message: node.Serializable, handle?: Handle | null, callback?: (error: Error | null) => void): boolean;
  send(
    message: node.Serializable,
    handle?: Handle | null,
    options?: SendMessageOptions,
    callback?: (error: Error | null) => void,
  ): boolean;
  /** Ends the child and waits until it has. */
  [Symbol.asyncDispose](): Promise<void>;
}

/** A child whose standard streams are all connected with us. */
export interface ChildProcessWithoutNullStreams extends ChildProcess {
  stdin: Writable;
  stdout: Readable;
  stderr: Readable;
  readonly stdio: [
    Writable,
    Readable,
    Readable,
    Readable | Writable | null | undefined,
    Readable | Writable | null | undefined,
  ];
}

export interface SpawnOptions extends With<node.SpawnOptions> {
  stdio?: StdioOptions | undefined;
}

export interface SpawnOptionsWithoutStdio extends With<node.SpawnOptions> {
  stdio?: 'pipe' | 'overlapped' | 'fifo' | undefined;
}

export function spawn(command: string, options?: SpawnOptionsWithoutStdio): ChildProcessWithoutNullStreams;
export function spawn(command: string, options: SpawnOptions): ChildProcess;
export function spawn(
  command: string,
  args: readonly string[] | null | undefined,
  options?: SpawnOptionsWithoutStdio,
): ChildProcessWithoutNullStreams;
export function spawn(command: string, args: readonly string[] | null | undefined, options: SpawnOptions): ChildProcess;

export interface ForkOptions extends With<node.ForkOptions> {
  stdio?: StdioOptions | undefined;
}

export function fork(modulePath: string | Uint8Array | URL, options?: ForkOptions): ChildProcess;
export function fork(
  modulePath: string | Uint8Array | URL,
  args?: readonly string[] | null,
  options?: ForkOptions,
): ChildProcess;

/**
 * The channel to the process that started this one with the option `pipewrightChannel`; null
 * without one. The options count in the first call.
 */
export function parent(options?: Omit<ChannelOptions, 'serialization'>): Channel | null;

type Text = { encoding?: BufferEncoding | undefined };
type Bytes = { encoding: 'buffer' | null };
type Callback<Output> = (error: (node.ExecException & SpawnError) | null, stdout: Output, stderr: Output) => void;

export interface ExecOptions extends With<node.ExecOptions> {}
export interface ExecFileOptions extends With<node.ExecFileOptions> {}

export interface Output<Value> {
  stdout: Value;
  stderr: Value;
}

export function exec(command: string, callback?: Callback<string>): ChildProcess;
export function exec(command: string, options: ExecOptions & Bytes, callback?: Callback<Buffer>): ChildProcess;
export function exec(
  command: string,
  options: (ExecOptions & Text) | null | undefined,
  callback?: Callback<string>,
): ChildProcess;

export namespace exec {
  function __promisify__(command: string, options: ExecOptions & Bytes): node.PromiseWithChild<Output<Buffer>>;
  function __promisify__(command: string, options?: (ExecOptions & Text) | null): node.PromiseWithChild<Output<string>>;
}

type Arguments = readonly string[] | null | undefined;

export function execFile(file: string, callback?: Callback<string>): ChildProcess;
export function execFile(file: string, args: Arguments, callback?: Callback<string>): ChildProcess;
export function execFile(file: string, options: ExecFileOptions & Bytes, callback?: Callback<Buffer>): ChildProcess;
export function execFile(file: string, options: ExecFileOptions & Text, callback?: Callback<string>): ChildProcess;
export function execFile(
  file: string,
  args: Arguments,
  options: ExecFileOptions & Bytes,
  callback?: Callback<Buffer>,
): ChildProcess;
export function execFile(
  file: string,
  args: Arguments,
  options: (ExecFileOptions & Text) | null | undefined,
  callback?: Callback<string>,
): ChildProcess;

export namespace execFile {
  function __promisify__(
    file: string,
    args: Arguments,
    options: ExecFileOptions & Bytes,
  ): node.PromiseWithChild<Output<Buffer>>;
  function __promisify__(
    file: string,
    args?: Arguments,
    options?: (ExecFileOptions & Text) | null,
  ): node.PromiseWithChild<Output<string>>;
  function __promisify__(file: string, options: ExecFileOptions & Text): node.PromiseWithChild<Output<string>>;
}

/** Not enumerable on results and errors of the synchronous forms. */
export interface SyncExtras {
  resourceUsage: ResourceUsage | null;
  error?: SpawnError | undefined;
}

export interface SpawnSyncOptions extends With<node.SpawnSyncOptions> {
  stdio?: StdioOptions | undefined;
}

export interface ExecSyncOptions extends With<node.ExecSyncOptions> {
  stdio?: StdioOptions | undefined;
}

export interface ExecFileSyncOptions extends With<node.ExecFileSyncOptions> {
  stdio?: StdioOptions | undefined;
}

type EncodedText = { encoding: BufferEncoding };
type NotEncoded = { encoding?: 'buffer' | null | undefined };

export function spawnSync(
  command: string,
  options: SpawnSyncOptions & EncodedText,
): node.SpawnSyncReturns<string> & SyncExtras;
export function spawnSync(
  command: string,
  options?: SpawnSyncOptions & NotEncoded,
): node.SpawnSyncReturns<Buffer> & SyncExtras;
export function spawnSync(
  command: string,
  args: Arguments,
  options: SpawnSyncOptions & EncodedText,
): node.SpawnSyncReturns<string> & SyncExtras;
export function spawnSync(
  command: string,
  args: Arguments,
  options?: SpawnSyncOptions & NotEncoded,
): node.SpawnSyncReturns<Buffer> & SyncExtras;

export function execSync(command: string, options: ExecSyncOptions & EncodedText): string;
export function execSync(command: string, options?: ExecSyncOptions & NotEncoded): Buffer;

export function execFileSync(file: string, options: ExecFileSyncOptions & EncodedText): string;
export function execFileSync(file: string, options?: ExecFileSyncOptions & NotEncoded): Buffer;
export function execFileSync(file: string, args: Arguments, options: ExecFileSyncOptions & EncodedText): string;
export function execFileSync(file: string, args: Arguments, options?: ExecFileSyncOptions & NotEncoded): Buffer;

export interface RunOptions extends With<node.SpawnOptions> {
  /** Default 'utf8'; 'buffer' or null for Buffers. */
  encoding?: BufferEncoding | 'buffer' | null | undefined;
  /** Written to its stdin, which without it is /dev/null. */
  input?: string | NodeJS.ArrayBufferView | null | undefined;
  /** Bytes of stdout, and of stderr. Default 64 MiB. */
  maxBuffer?: number | undefined;
  /** Reject when it does not end with 0. Default true. */
  reject?: boolean | undefined;
  stdio?: StdioOptions | undefined;
}

export interface RunResult<Value = string> {
  stdout: Value;
  stderr: Value;
  exitCode: number | null;
  signal: NodeJS.Signals | null;
  durationMs: number;
  resourceUsage: ResourceUsage | null;
}

/** What run() rejects with. */
export interface RunError<Value = string> extends RunResult<Value>, Error {
  code: string;
  file: string;
  args: string[];
  timedOut: boolean;
  step?: string;
}

/** Iterating over it gives the lines of stdout; leaving the loop ends the child. */
export interface Run<Value = string> extends Promise<RunResult<Value>>, AsyncIterable<string> {
  readonly child: ChildProcess;
}

export function run(file: string, options: RunOptions & Bytes): Run<Buffer>;
export function run(file: string, options?: RunOptions & Text): Run;
export function run(file: string, args: Arguments, options: RunOptions & Bytes): Run<Buffer>;
export function run(file: string, args: Arguments, options?: RunOptions & Text): Run;
