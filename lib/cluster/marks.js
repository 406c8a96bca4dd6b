'use strict';

// What primary and worker say to each other beside the connections: the marks in the number of
// a listener, the variable of the environment, and the messages on the control channel.

/**
 * In the environment of a worker: its number, and its end of the control channel.
 *
 *   PIPEWRIGHT_WORKER=3:process:3:81234   a process: descriptor, inode of that socket
 *   PIPEWRIGHT_WORKER=3:thread:71:72:json   a thread: tokens of the control channel and of the
 *                                           program's messages, and their serialization
 */
const WORKER_VARIABLE = 'PIPEWRIGHT_WORKER';

const processMark = (id, fd, inode) => `${id}:process:${fd}:${inode}`;
const threadMark = (id, control, messages, serialization) => `${id}:thread:${control}:${messages}:${serialization}`;

// A listener's number has 16 bits; what a worker has to know of its connections stands above.
const NUMBER = 0xffff;
const IS_TCP = 1 << 16;
const IS_TAKEN_AT_ONCE = 1 << 17;

/** The types of messages on the control channel: { pipewrightCluster: type }. */
const CONNECTIONS = 'connections'; // To the worker, with the socket on which they come, its page, and { heartbeat }.
const STOP = 'stop'; // To the worker: no more connections will come.
const READY = 'ready'; // To the primary.
const PAUSE = 'pause'; // To the primary: the program takes no more connections.

const message = (type) => ({ pipewrightCluster: type });
const typeOf = (received) => received?.pipewrightCluster;

module.exports = {
  CONNECTIONS,
  IS_TAKEN_AT_ONCE,
  IS_TCP,
  NUMBER,
  PAUSE,
  READY,
  STOP,
  WORKER_VARIABLE,
  message,
  processMark,
  threadMark,
  typeOf,
};
