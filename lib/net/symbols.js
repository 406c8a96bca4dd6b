'use strict';

// The symbols under which the files of lib/net keep things on sockets and handles.
//
// The names with an underscore on Socket and Server are those of node:net, and no others
// are added. These have readers among Node's modules (lib/ of Node 20):
//
//   _handle           http, tls, http2, child_process, cluster; also fd/node_objects.js
//   _hadError         http's client, tls
//   _parent           tls; walked to refresh the timers of all sockets below
//   _host             tls: the server name if none was given
//   _unrefTimer       http's server
//   _onTimeout        http2 and the streams of Node's own handles
//   _connections      child_process and cluster; counted down by each socket through _server
//   _connectionKey    child_process
//
// The rest is read by node:net itself and by programs that look into it: _peername,
// _sockname, _getpeername, _getsockname, _pendingData, _pendingEncoding, _server, _reset,
// _bytesDispatched, _connecting, _writeGeneric, _unref, _usingWorkers, _workers, _pipeName,
// _emitCloseIfDrained. The methods of stream.Duplex (_read, _write, _writev, _final,
// _destroy, _undestroy) are called by Node's streams.

module.exports = {
  kBytesRead: Symbol('bytesRead'), // Number of bytes; kept here once the handle is gone.
  kBytesWritten: Symbol('bytesWritten'), // The same.
  kDescriptors: Symbol('descriptors'), // { maxDescriptors } of the option `descriptors`; null without it.
  kFresh: Symbol('fresh'), // No connect() yet, and no handle was given.
  kOwner: Symbol('owner'), // On a handle: its Socket or Server.
  kPushed: Symbol('pushed'), // The first chunk has gone through push().
  kStopReading: Symbol('stopReading'), // Method of a socket: see reading.js.
  kTcpOptions: Symbol('tcpOptions'), // noDelay, keepAlive and typeOfService, to be set or as they were set.
  kTimer: Symbol('timer'), // The Timeout that setTimeout() started, or null.
  kTimerQueueSize: Symbol('timerQueueSize'), // Bytes queued when a write last had to wait.
  kUserRead: Symbol('userRead'), // { buffer, nextBuffer, callback } of the option `onread`; null without it.
  kWrapped: Symbol('wrapped'), // Known to be read and written by Node's own wrapper: TLS, http2.
  kWriteResult: Symbol('writeResult'), // The result of a write that the handle got before the stream; null without one.
  kWriteStatus: Symbol('writeStatus'), // The status of the last write that had to wait in the handle: 0 or a negative errno.
};
