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
const IS_IDLE = 1 << 18; // Another worker's client, between two requests.
const IS_LISTENER = 1 << 20; // No connection: the worker accepts on it by itself.
const SPEAKS_FIRST = 1 << 19; // The server: what its clients send is not waited for.
const ALL_MARKS = NUMBER | IS_TCP | IS_TAKEN_AT_ONCE | IS_IDLE | SPEAKS_FIRST;

/** The types of messages on the control channel: { pipewrightCluster: type }. */
const CONNECTIONS = 'connections'; // To the worker, with their socket and the worker's page: `heartbeat`, `limits`.
const STOP = 'stop'; // To the worker, with `moves`: no more connections will come.
const MOVED = 'moved'; // To the primary, with connections: `moved` has the id and the marks of each.
const READY = 'ready'; // To the primary.
const CLOSE_LISTENER = 'close listener'; // To the worker: accept no more on that with this `number`.
const RETIRE = 'retire'; // To the primary, with a `reason`: another worker is to take this one's place.

const LISTEN = 'listen'; // To the primary, { id, target, data }: the program wants to listen; it answers with
const LISTENING = 'listening'; // { id, err, listener, name, data }.
const UNLISTEN = 'unlisten'; // To the primary, { listener }: the program has closed its server.

/** The listener of a server that gets the connections of all listeners. */
const EVERY_LISTENER = -1;

/** Methods of `worker` for servers that listen by themselves: see lib/cluster/interception.js. */
const kAsk = Symbol('ask');
const kAttend = Symbol('attend');
const kMakeSource = Symbol('make source');
const kTell = Symbol('tell');

const message = (type, body = undefined) => ({ pipewrightCluster: type, ...body });
const typeOf = (received) => received?.pipewrightCluster;

module.exports = {
  ALL_MARKS,
  CLOSE_LISTENER,
  CONNECTIONS,
  EVERY_LISTENER,
  IS_IDLE,
  IS_LISTENER,
  IS_TAKEN_AT_ONCE,
  IS_TCP,
  LISTEN,
  LISTENING,
  MOVED,
  NUMBER,
  READY,
  RETIRE,
  SPEAKS_FIRST,
  STOP,
  UNLISTEN,
  WORKER_VARIABLE,
  kAsk,
  kAttend,
  kMakeSource,
  kTell,
  message,
  processMark,
  threadMark,
  typeOf,
};
