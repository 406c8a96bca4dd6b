'use strict';

// Makes every error of pipewright. Properties and messages are those of Node's errors, so
// that code written for node:net and node:child_process recognises them. The file is long since
// no other may make errors (test/architecture.test.js).

const { constants } = require('node:os');
const { inspect, getSystemErrorMap, getSystemErrorName } = require('node:util');

// Makes an error with a code as Node does: the stack shows the code, `name` does not.
function coded(Base, code, message, properties) {
  const error = new Base(message);
  Object.defineProperty(error, 'name', { value: `${Base.name} [${code}]`, configurable: true, writable: true });
  void error.stack; // This read builds the stack, with that name.
  delete error.name;
  error.code = code;
  Object.defineProperty(error, 'toString', {
    value() {
      return `${this.name} [${code}]: ${this.message}`;
    },
    configurable: true,
    writable: true,
  });
  return Object.assign(error, properties);
}

function describe(value) {
  if (value == null) return ` Received ${value}`;
  if (typeof value === 'function') return ` Received function ${value.name}`;
  if (typeof value === 'object') {
    if (value.constructor?.name) return ` Received an instance of ${value.constructor.name}`;
    return ` Received ${inspect(value, { depth: -1 })}`;
  }
  let text = inspect(value, { colors: false });
  if (text.length > 28) text = `${text.slice(0, 25)}...`;
  return ` Received type ${typeof value} (${text})`;
}

const PRIMITIVES = new Set(['string', 'function', 'number', 'object', 'boolean', 'bigint', 'symbol', 'undefined']);

function alternatives(words, last) {
  if (words.length < 3) return words.join(` ${last} `);
  return `${words.slice(0, -1).join(', ')}, ${last} ${words.at(-1)}`;
}

function expectation(expected) {
  const isType = (name) => PRIMITIVES.has(name) || name === 'Function' || name === 'Object';
  const types = expected.filter(isType).map((name) => name.toLowerCase());
  const classes = expected.filter((name) => !isType(name));
  const parts = [];
  if (types.length > 0) parts.push(`${types.length > 1 ? 'one of type' : 'of type'} ${alternatives(types, 'or')}`);
  if (classes.length > 0) parts.push(`an instance of ${alternatives(classes, 'or')}`);
  return parts.join(' or ');
}

const argumentKind = (name) => (name.includes('.') ? 'property' : 'argument');

/** A value of a wrong type. `expected`: names of types ('string') and classes ('Buffer'). */
function invalidArgType(name, expected, value) {
  const subject = name.endsWith(' argument') ? `The ${name}` : `The "${name}" ${argumentKind(name)}`;
  const message = `${subject} must be ${expectation([expected].flat())}.${describe(value)}`;
  return coded(TypeError, 'ERR_INVALID_ARG_TYPE', message);
}

function invalidArgValue(name, value, reason = 'is invalid', Base = TypeError) {
  let text = inspect(value);
  if (text.length > 128) text = `${text.slice(0, 128)}...`;
  return coded(Base, 'ERR_INVALID_ARG_VALUE', `The ${argumentKind(name)} '${name}' ${reason}. Received ${text}`);
}

// Writes 1234567 as 1_234_567.
function grouped(text) {
  const [, sign, digits] = /^(-?)(\d+)$/.exec(text) ?? [];
  return digits === undefined ? text : sign + digits.replace(/\B(?=(\d{3})+$)/g, '_');
}

function outOfRange(name, range, value) {
  const received = Number.isInteger(value) && Math.abs(value) > 2 ** 32 ? grouped(String(value)) : inspect(value);
  const message = `The value of "${name}" is out of range. It must be ${range}. Received ${received}`;
  return coded(RangeError, 'ERR_OUT_OF_RANGE', message);
}

const unknownSignal = (signal) => coded(TypeError, 'ERR_UNKNOWN_SIGNAL', `Unknown signal: ${signal}`);

function incompatibleOptions(first, second) {
  const message = `Option "${first}" cannot be used in combination with option "${second}"`;
  return coded(TypeError, 'ERR_INCOMPATIBLE_OPTION_PAIR', message);
}

function mainThreadOnly(option) {
  return coded(Error, 'ERR_PIPEWRIGHT_MAIN_THREAD_ONLY', `"${option}" can be used on the main thread only`);
}

function unsupportedRuntime(name) {
  const message = `pipewright needs Node.js: ${name} has no libuv, on which pipewright is built`;
  return coded(Error, 'ERR_PIPEWRIGHT_UNSUPPORTED_RUNTIME', message);
}

/** The addon is missing, or cannot be loaded here. `cause` is the loader's error. */
function noBinary(cause) {
  const problem =
    cause.code === 'ERR_DLOPEN_FAILED'
      ? `pipewright's binary cannot be loaded here (${cause.message})`
      : `pipewright has no binary for ${process.platform} ${process.arch}`;
  const message =
    `${problem}: run "npm rebuild pipewright --ignore-scripts=false", ` +
    'which takes a C++17 compiler, make and Python 3';
  return coded(Error, 'ERR_PIPEWRIGHT_NO_BINARY', message, { cause });
}

/** PIPEWRIGHT_REGISTER names something that is not a replaceable module. */
function unknownModule(name, accepted) {
  const message = `PIPEWRIGHT_REGISTER has '${name}', and can have: ${accepted.join(', ')}`;
  return coded(TypeError, 'ERR_INVALID_ARG_VALUE', message);
}

function accessDenied(permission) {
  const properties = { permission, resource: '' };
  return coded(Error, 'ERR_ACCESS_DENIED', 'Access to this API has been restricted', properties);
}

const syncForkInput = (value) => {
  const message = `Asynchronous forks do not support Buffer, TypedArray, DataView or string input: ${inspect(value)}`;
  return coded(TypeError, 'ERR_INVALID_SYNC_FORK_INPUT', message);
};

/** A child wrote more than `maxBuffer` allows. */
function maxBufferExceeded(stream) {
  return coded(RangeError, 'ERR_CHILD_PROCESS_STDIO_MAXBUFFER', `${stream} maxBuffer length exceeded`);
}

/** A command that failed. `code` is not an error code here, but comes with `properties`. */
function commandFailed(message, properties) {
  return Object.assign(new Error(message), properties);
}

/** A run() that failed; `properties` has its result. After an abort, `name` is 'AbortError'. */
function runFailed(message, cause, properties) {
  const error = coded(Error, cause?.code ?? 'ERR_PIPEWRIGHT_RUN_FAILED', message, properties);
  if (cause) error.cause = cause;
  if (cause?.name === 'AbortError') error.name = cause.name;
  return error;
}

/** A child that could not be started. `step` names the step that failed, if it is known. */
function spawnException(errno, syscall, { path = undefined, spawnargs = undefined, step = undefined }) {
  return Object.assign(
    errnoException(errno, syscall),
    path !== undefined && { path },
    spawnargs !== undefined && { spawnargs },
    step && { step },
  );
}

/** A list for the stdio of fork() without a channel. */
function ipcRequired(name) {
  return coded(
    Error,
    'ERR_CHILD_PROCESS_IPC_REQUIRED',
    `Forked processes must have an IPC channel, missing value 'ipc' in ${name}`,
  );
}

/** Something that must not be sent to a plain Node process: `why` says what it would do there. */
function handleNotSendable(type, why) {
  const message = `A ${type} cannot be sent over a channel of fork(): ${why}`;
  return coded(TypeError, 'ERR_IPC_HANDLE_NOT_SENDABLE', message, { type });
}

/** A message that is Node's own. */
function ipcMessageReserved(cmd) {
  const message = `A message with the cmd '${cmd}' is for the channel itself to send: it would crash the other process`;
  return coded(TypeError, 'ERR_IPC_MESSAGE_RESERVED', message);
}

function ipcMessageTooLong(maxBytes) {
  return coded(
    RangeError,
    'ERR_IPC_MESSAGE_TOO_LONG',
    `The other process sent a message of more than ${maxBytes} bytes`,
  );
}

/** A handle of which it is not known whether it came. */
function handleNotAcknowledged(timeout) {
  const message = `The handle was not acknowledged within ${timeout} ms`;
  return coded(Error, 'ERR_IPC_HANDLE_NOT_ACKNOWLEDGED', message);
}

function missingArgs(names) {
  const quoted = names.map((name) => `"${name}"`);
  return coded(TypeError, 'ERR_MISSING_ARGS', `The ${quoted.join(' or ')} argument must be specified`);
}

function badPort(name, port) {
  const message = `${name} should be >= 0 and < 65536.${describe(port)}.`;
  return coded(RangeError, 'ERR_SOCKET_BAD_PORT', message);
}

// Errors that have a class and a fixed message only: { code: [class, message] }.
const PLAIN = {
  ERR_CLUSTER_CLOSED: [Error, 'The cluster is closed'],
  ERR_CLUSTER_TOO_MANY_RESTARTS: [Error, 'A worker of the cluster ended too often, and is not started again'],
  ERR_CLUSTER_NOT_IN_CHARGE: [Error, 'This process is yet to take the place of another primary'],
  ERR_CLUSTER_NO_WORKER: [Error, 'This process is no worker of a cluster of pipewright'],
  ERR_CLUSTER_UPGRADE_TIMEOUT: [Error, 'The new primary was not ready in time, and was killed'],
  ERR_CLUSTER_WORKER_NOT_READY: [Error, 'A worker of the cluster did not call worker.ready() in time'],
  ERR_CHANNEL_CLOSED: [Error, 'The channel is closed'],
  ERR_CHANNEL_ENDED: [Error, 'The peer has ended without closing the channel'],
  ERR_CHANNEL_REQUEST_TIMEOUT: [Error, 'The peer did not reply in time'],
  ERR_CHANNEL_TRUNCATED: [Error, 'The peer has ended in the middle of a message'],
  ERR_DESCRIPTOR_BUSY: [Error, 'The descriptor is being sent'],
  ERR_DESCRIPTOR_CLOSED: [Error, 'The descriptor is closed'],
  ERR_DESCRIPTOR_UNKNOWN: [Error, 'The token was claimed before, or the thread that made it has ended'],
  ERR_DESCRIPTOR_UNREAD_DATA: [Error, 'The socket has data that would be lost: read or unsent, but not consumed'],
  ERR_DESCRIPTORS_NOT_ENABLED: [Error, 'The socket was not opened with the option "descriptors"'],
  ERR_DESCRIPTORS_REFUSED: [Error, 'The system refuses to let this process receive the descriptors'],
  ERR_DESCRIPTORS_TOO_MANY: [Error, 'The peer sent more descriptors in one message than are allowed'],
  ERR_DESCRIPTORS_NEVER_FIT: [Error, 'The peer sent a message with more descriptors than this process can ever hold'],
  ERR_PASSER_BYTES_ONLY: [Error, 'The peer sent bytes without a descriptor'],
  ERR_PASSER_CLOSED: [Error, 'The passer is closed'],
  ERR_PASSER_ENDED: [Error, 'The peer has ended: no more descriptors will come'],
  ERR_PASSER_NO_SIDE: [Error, 'The passer holds both ends: choose one with parent() or child()'],
  ERR_PASSER_SIDE_CHOSEN: [Error, 'The passer has but one end'],
  ERR_INVALID_HANDLE_TYPE: [TypeError, 'This handle type cannot be sent'],
  ERR_SERVER_ALREADY_LISTEN: [Error, 'Listen method has been called more than once without closing.'],
  ERR_SERVER_NOT_RUNNING: [Error, 'Server is not running.'],
  ERR_SOCKET_CLOSED: [Error, 'Socket is closed'],
  ERR_SOCKET_CLOSED_BEFORE_CONNECTION: [Error, 'Socket closed before the connection was established'],
  ERR_SOCKET_CONNECTION_TIMEOUT: [Error, 'Socket connection timeout'],
  ERR_CHILD_CLOSED_BEFORE_REPLY: [Error, 'Child closed before reply received'],
  ERR_IPC_CHANNEL_CLOSED: [Error, 'Channel closed'],
  ERR_IPC_DISCONNECTED: [Error, 'IPC channel is already disconnected'],
  ERR_IPC_ONE_PIPE: [Error, 'Child process can have only one IPC pipe'],
  ERR_IPC_SYNC_FORK: [Error, 'IPC cannot be used with synchronous forks'],
  EPIPE: [Error, 'This socket has been ended by the other party'],
};

/** Makes one of the PLAIN errors. */
function plain(code) {
  const [Base, message] = PLAIN[code];
  return coded(Base, code, message);
}

/** A worker that was to take over has ended before. `cause` is why it was killed or did not start, or null. */
function clusterReloadFailed(cause, code, signal) {
  const how = cause === null ? (signal ?? `code ${code}`) : cause.message;
  const message = `A new worker was not ready (${how}): the old ones go on`;
  return coded(Error, 'ERR_CLUSTER_RELOAD_FAILED', message, cause === null ? {} : { cause });
}

/** The process that was to take the place of a cluster's primary has ended. */
function upgradeEnded(exitCode, signal) {
  const how = signal === null ? `with code ${exitCode}` : `by ${signal}`;
  const message = `The new primary has ended ${how} before it was ready`;
  return coded(Error, 'ERR_CLUSTER_UPGRADE_ENDED', message, { exitCode, signal });
}

/** A function has chosen what is no worker; `last` is the highest number of one. */
function badChoice(choice, last) {
  const message = `The function "schedule" must return a worker, or its number from 0 to ${last}.${describe(choice)}`;
  return coded(TypeError, 'ERR_CLUSTER_BAD_CHOICE', message);
}

/** What a peer of a channel sent is no frame, or not one that may come here. */
function channelProtocol(what) {
  return coded(Error, 'ERR_CHANNEL_PROTOCOL', `The peer does not keep to the protocol of channels: ${what}`);
}

/** A message that a channel may not carry. `length` of a peer's is what it has announced. */
function messageTooLarge(length, max) {
  return coded(Error, 'ERR_CHANNEL_MESSAGE_TOO_LARGE', `A message of ${length} bytes, where ${max} are allowed`);
}

/** The payload of a frame cannot be decoded: `cause` says why. */
function undecodable(cause) {
  const message = `A message of the peer cannot be decoded: ${cause?.message}`;
  return coded(Error, 'ERR_CHANNEL_UNDECODABLE', message, { cause });
}

/** The peer's handler of requests threw, or its promise was rejected: `cause` is what it said of that. */
function requestFailed(cause) {
  const message = `The peer failed to answer: ${cause.message}`;
  return coded(Error, 'ERR_CHANNEL_REQUEST_FAILED', message, { cause });
}

const invalidIpAddress = (address) => coded(TypeError, 'ERR_INVALID_IP_ADDRESS', `Invalid IP address: ${address}`);
const ipBlocked = (address) => coded(Error, 'ERR_IP_BLOCKED', `IP(${address}) is blocked by net.BlockList`);
const invalidFdType = (type) => coded(TypeError, 'ERR_INVALID_FD_TYPE', `Unsupported fd type: ${type}`);

function invalidAddressFamily(family, host, port) {
  const error = coded(RangeError, 'ERR_INVALID_ADDRESS_FAMILY', `Invalid address family: ${family} ${host}:${port}`);
  return Object.assign(error, { host, port });
}

function aborted(cause) {
  const error = new Error('The operation was aborted', cause === undefined ? undefined : { cause });
  return Object.assign(error, { name: 'AbortError', code: 'ABORT_ERR' });
}

/** Several attempts failed; `code` is that of the first error. */
function aggregate(errors) {
  return Object.assign(new AggregateError(errors), { code: errors[0]?.code });
}

// Maps the errno that src/descriptors/message_reader.cc ends reading with to an error.
const RECEIVE_ERRORS = {
  E2BIG: 'ERR_DESCRIPTORS_TOO_MANY',
  EACCES: 'ERR_DESCRIPTORS_REFUSED',
  EMFILE: 'ERR_DESCRIPTORS_NEVER_FIT',
  EPROTO: 'ERR_PASSER_BYTES_ONLY',
};

/** Reading from a socket with descriptors failed. */
function receiveException(errno) {
  const code = RECEIVE_ERRORS[getSystemErrorName(errno)];
  return code === undefined ? errnoException(errno, 'recvmsg') : plain(code);
}

/** A system call failed. `errno` is negative, as in libuv. */
function errnoException(errno, syscall, detail) {
  const code = getSystemErrorName(errno);
  const message = detail ? `${syscall} ${code} ${detail}` : `${syscall} ${code}`;
  return Object.assign(new Error(message), { errno, code, syscall });
}

function withAddress(error, address, port) {
  error.address = address;
  if (port) error.port = port;
  return error;
}

const place = (address, port) => (port && port > 0 ? `${address}:${port}` : `${address}`);

/** connect() failed. `local` is the 'address:port' of our end, if it is known. */
function connectException(errno, address, port, local, syscall = 'connect') {
  const detail = local ? `${place(address, port)} - Local (${local})` : place(address, port);
  return withAddress(errnoException(errno, syscall, detail), address, port);
}

/** listen() failed. For a path, `port` is -1, as in Node. */
function listenException(errno, address, port) {
  const code = getSystemErrorName(errno);
  const [, text] = getSystemErrorMap().get(errno) ?? [code, 'unknown error'];
  const where = address ? ` ${place(address, port)}` : '';
  const error = Object.assign(new Error(`listen ${code}: ${text}${where}`), { code, errno, syscall: 'listen' });
  return withAddress(error, address, port);
}

/** `replaceStale` needs a lock that another process holds: `holder` is its pid, if it is known. */
function listenLocked(path, lock, holder) {
  const who = holder === undefined ? 'another process' : `process ${holder}`;
  const message = `listen EBUSY: ${who} holds the lock of ${lock}, without which replaceStale replaces nothing: ${path}`;
  const errno = -constants.errno.EBUSY;
  return Object.assign(new Error(message), { code: 'EBUSY', errno, syscall: 'listen', address: path, lock, holder });
}

module.exports = {
  aborted,
  accessDenied,
  aggregate,
  badPort,
  badChoice,
  channelProtocol,
  clusterReloadFailed,
  commandFailed,
  connectException,
  errnoException,
  handleNotAcknowledged,
  handleNotSendable,
  incompatibleOptions,
  invalidAddressFamily,
  invalidArgType,
  invalidArgValue,
  invalidFdType,
  invalidIpAddress,
  ipBlocked,
  ipcMessageReserved,
  ipcMessageTooLong,
  ipcRequired,
  listenException,
  listenLocked,
  mainThreadOnly,
  maxBufferExceeded,
  messageTooLarge,
  missingArgs,
  noBinary,
  outOfRange,
  plain,
  receiveException,
  requestFailed,
  runFailed,
  spawnException,
  syncForkInput,
  undecodable,
  unknownModule,
  unknownSignal,
  unsupportedRuntime,
  upgradeEnded,
};
