'use strict';

// The arguments of createCluster() and cluster.listen().

const os = require('node:os');

const { MAX_TIMER } = require('../base/constants.js');
const { invalidArgValue } = require('../base/errors.js');
const {
  validateArray,
  validateBoolean,
  validateInteger,
  validateNumber,
  validateObject,
  validateOneOf,
  validatePort,
  validateString,
} = require('../base/validate.js');
const { normalizeListenArgs } = require('../net/options.js');
const { inheritedExecArgv } = require('../child_process/exec_argv.js');
const { toPath } = require('../child_process/paths.js');

const LOOPBACK = ['127.0.0.1', '::1'];
const MAX_WORKERS = 1024;
const MAX_UNACKNOWLEDGED = 4096;
const MAX_PEEK_BYTES = 65_536;

const DEFAULTS = Object.freeze({
  args: [],
  workers: os.availableParallelism(),
  kind: 'process',
  schedule: 'round-robin',
  stickyBy: 'uid',
  peekBytes: 0,
  serialization: 'json',
  execArgv: undefined,
  resourceLimits: undefined,
  interceptListen: false,
  statusPage: null,
  env: process.env,
  maxUnacknowledged: 128,
  handoverTimeout: 10_000,
  readyTimeout: 30_000,
  closeTimeout: 10_000,
  restartDelay: 100,
  maxRestartDelay: 10_000,
  minUptime: 1000,
  maxRestarts: 0,
  restartWindow: 60_000,
  maxRequests: 0,
  maxMemory: 0,
});

const SCHEDULES = ['round-robin', 'least-connections', 'sticky', 'shared'];
const RELOADED = ['exec', 'args', 'execArgv', 'env'];

const TIMES = [
  'handoverTimeout',
  'readyTimeout',
  'closeTimeout',
  'restartDelay',
  'maxRestartDelay',
  'minUptime',
  'restartWindow',
];

/** @returns {any} complete and frozen @throws ERR_INVALID_ARG_TYPE, ERR_INVALID_ARG_VALUE, ERR_OUT_OF_RANGE */
function normalizeClusterOptions(given) {
  validateObject(given, 'options');
  /** @type {any} */
  const options = { ...DEFAULTS };
  for (const [name, value] of Object.entries(given)) if (value !== undefined) options[name] = value;
  options.exec = toPath(options.exec, 'options.exec');
  validateArray(options.args, 'options.args');
  validateOneOf(options.kind, 'options.kind', ['process', 'thread']);
  // A thread without arguments of its own has this process's; many cannot be given to a thread.
  if (options.kind === 'process') options.execArgv ??= inheritedExecArgv();
  if (options.execArgv !== undefined) validateArray(options.execArgv, 'options.execArgv');
  for (const arg of [...options.args, ...(options.execArgv ?? [])]) validateString(arg, 'an argument');
  validateObject(options.env, 'options.env');
  validateBoolean(options.interceptListen, 'options.interceptListen');
  validateInteger(options.workers, 'options.workers', 1, MAX_WORKERS);
  if (typeof options.schedule !== 'function') validateOneOf(options.schedule, 'options.schedule', SCHEDULES);
  validateOneOf(options.stickyBy, 'options.stickyBy', ['uid', 'pid']);
  validateInteger(options.peekBytes, 'options.peekBytes', 0, MAX_PEEK_BYTES);
  validateOneOf(options.serialization, 'options.serialization', ['json', 'advanced', 'raw']);
  validateResourceLimits(options);
  validateInteger(options.maxUnacknowledged, 'options.maxUnacknowledged', 1, MAX_UNACKNOWLEDGED);
  for (const name of TIMES) validateInteger(options[name], `options.${name}`, 0, MAX_TIMER);
  for (const name of ['maxRestarts', 'maxRequests', 'maxMemory']) {
    validateInteger(options[name], `options.${name}`, 0, Number.MAX_SAFE_INTEGER);
  }
  options.heartbeat = heartbeatOf(options);
  options.statusPage = normalizeStatusPage(options.statusPage);
  return Object.freeze(options);
}

/** @returns {any} `options` with what reload() changes of them @throws as normalizeClusterOptions() */
function mergeReloadOptions(options, overrides = {}) {
  validateObject(overrides, 'overrides');
  const changes = RELOADED.filter((name) => overrides[name] !== undefined).map((name) => [name, overrides[name]]);
  return normalizeClusterOptions({ ...options, ...Object.fromEntries(changes) });
}

// The page says much about the program: it is for this machine alone, and a path for its user
// alone, unless the mode says otherwise.
function normalizeStatusPage(given) {
  if (given === null) return null;
  validateObject(given, 'options.statusPage');
  const { path, port, host = LOOPBACK[0], mode = 0o600, owner, group } = given;
  if (path === undefined) {
    validatePort(port, 'options.statusPage.port');
    validateOneOf(host, 'options.statusPage.host', LOOPBACK);
  }
  const isFile = typeof path === 'string' && !path.startsWith('\0');
  const target =
    path === undefined ? { port, host } : { path, ...(isFile && { mode, owner, group, replaceStale: true }) };
  normalizeListenArgs([target]);
  return Object.freeze(target);
}

// Megabytes, of a thread's heap, code and stack: see `new Worker()` of node:worker_threads.
const RESOURCES = ['maxOldGenerationSizeMb', 'maxYoungGenerationSizeMb', 'codeRangeSizeMb', 'stackSizeMb'];

function validateResourceLimits({ kind, resourceLimits }) {
  if (resourceLimits === undefined) return;
  if (kind !== 'thread') throw invalidArgValue('options.resourceLimits', resourceLimits, "is for kind: 'thread'");
  validateObject(resourceLimits, 'options.resourceLimits');
  for (const [name, value] of Object.entries(resourceLimits)) {
    validateOneOf(name, 'a name in options.resourceLimits', RESOURCES);
    validateNumber(value, `options.resourceLimits.${name}`, 0);
  }
}

const MAX_HEARTBEAT = 1000; // Milliseconds.

// Milliseconds between two signs of life of a worker: each look of the primary finds a new one.
function heartbeatOf({ handoverTimeout }) {
  return Math.max(Math.min(Math.floor(handoverTimeout / 8) || MAX_HEARTBEAT, MAX_HEARTBEAT), 1);
}

// What has to be longer than the time in which a stuck worker is found.
const SILENT = 20_000; // Milliseconds that a silent connection's copy is kept without such a time.

/** @returns {any} the options of a ConnectionDispatcher */
function dispatcherOptions({ schedule, stickyBy, maxUnacknowledged, handoverTimeout, peekBytes }) {
  return {
    schedule: typeof schedule === 'function' ? 'function' : schedule,
    stickyBy,
    maxUnacknowledged,
    keepTime: Math.min(handoverTimeout * 2 || SILENT, MAX_TIMER),
    firstBytesTimeout: handoverTimeout,
    peekBytes,
  };
}

/** @returns {any} the target of a Listener, with `ack` */
function normalizeListen(args) {
  const target = normalizeListenArgs(args);
  const ack = target.given?.ack ?? 'first-byte';
  validateOneOf(ack, 'options.ack', ['first-byte', 'accept']);
  return { ...target, ack, store: storeOf(target), descriptors: false };
}

// The name of a descriptor in systemd's store.
function storeOf({ given, kind }) {
  const { store } = given;
  if (store === undefined) return undefined;
  validateString(store, 'options.store');
  const isName = /^[ -9;-~]{1,255}$/.test(store);
  if (!isName) throw invalidArgValue('options.store', store, 'must be 1 to 255 printable characters without ":"');
  if (kind !== 'path' && kind !== 'port') throw invalidArgValue('options.store', store, 'needs a path or a port');
  return store;
}

/** @returns {{ timeout: number }} @throws ERR_INVALID_ARG_TYPE, ERR_OUT_OF_RANGE */
function normalizeUpgrade(given, { readyTimeout }) {
  validateObject(given, 'options');
  const { timeout = readyTimeout } = given;
  validateInteger(timeout, 'options.timeout', 0, MAX_TIMER);
  return { timeout };
}

module.exports = {
  dispatcherOptions,
  mergeReloadOptions,
  normalizeClusterOptions,
  normalizeListen,
  normalizeUpgrade,
};
