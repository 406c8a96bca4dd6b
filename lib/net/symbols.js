'use strict';

// What the files of lib/net keep on sockets and handles under names of their own.

module.exports = {
  kBytesRead: Symbol('bytesRead'), // Of a socket whose handle is gone.
  kBytesWritten: Symbol('bytesWritten'),
  kDescriptors: Symbol('descriptors'), // { maxDescriptors } of the option `descriptors`; null without it.
  kFresh: Symbol('fresh'), // No connect() yet, and no handle was given.
  kOwner: Symbol('owner'), // Of a handle: its Socket or Server.
  kPushed: Symbol('pushed'), // The first chunk has gone through push().
  kStopReading: Symbol('stopReading'), // Method of a socket: see reading.js.
  kTcpOptions: Symbol('tcpOptions'), // noDelay, keepAlive and typeOfService, to be set or as they were set.
  kTimer: Symbol('timer'), // Of setTimeout(); null without one.
  kTimerQueueSize: Symbol('timerQueueSize'), // Bytes queued when a write last had to wait.
  kUserRead: Symbol('userRead'), // { buffer, nextBuffer, callback } of the option `onread`; null without it.
  kWrapped: Symbol('wrapped'), // Known to be read and written by Node's own wrapper: TLS, http2.
  kWriteResult: Symbol('writeResult'), // Of a write that the handle was given before the stream.
  kWriteStatus: Symbol('writeStatus'), // Of the last write that had to wait in the handle; 0 or a negative errno.
};
