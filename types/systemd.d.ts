// pipewright/systemd: socket activation. See sd_listen_fds(3) and systemd.socket(5).

import { Sendable } from './descriptors';
import { AddressInfo, Server, ServerOptions, Socket, SocketOptions } from './net';

/** One descriptor that systemd handed over; it is the caller's to use or to close. */
export interface ListenDescriptor {
  /** Its number; with it, this object is what listen() of any server takes. */
  readonly fd: number;
  /** FileDescriptorName= of the socket unit; 'unknown' where there are no names. */
  readonly name: string;
  /** Path or abstract name; address and port; null of what is no socket or has no name. */
  address(): AddressInfo | string | null;
  /** A pipewright/net server that listens on it. */
  toServer(connectionListener?: (socket: Socket) => void): Server;
  toServer(options?: ServerOptions | null, connectionListener?: (socket: Socket) => void): Server;
  /** A pipewright/net socket over it, for units with Accept=yes. */
  toSocket(options?: Omit<SocketOptions, 'fd' | 'handle'>): Socket;
}

/**
 * The descriptors that systemd passed to this process; [] when it passed none. Takes the
 * variables LISTEN_* out of process.env, so a second call finds none.
 *
 * @throws ERR_INVALID_ARG_VALUE when the variables contradict themselves; EBADF when a
 *   descriptor is not open
 */
export function listenDescriptors(): ListenDescriptor[];

/**
 * Tells the service manager, over the socket that NOTIFY_SOCKET names; false where there
 * is none. See sd_notify(3).
 *
 * @throws ERR_INVALID_ARG_TYPE; rejects with the system's error
 */
export function notify(
  state: string | Record<string, string | number | boolean>,
  options?: { descriptors?: readonly Sendable[]; env?: NodeJS.ProcessEnv },
): Promise<boolean>;
