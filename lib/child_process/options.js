'use strict';

// What a caller of spawn(), execFile() and their relatives gave, made into one frozen
// and complete object: shape the call, fill in defaults, check each option, check them
// together. Nothing behind this file looks at a caller's options.

const { invalidArgType, invalidArgValue } = require('../base/errors.js');
const { signalNumber } = require('../base/signal_names.js');
const {
  validateAbortSignal,
  validateArray,
  validateBoolean,
  validateFunction,
  validateInteger,
} = require('../base/validate.js');
const {
  validateLength,
  validateNumber,
  validateObject,
  validateOneOf,
  validateString,
} = require('../base/validate.js');
const { ATTRIBUTE_DEFAULTS, normalizeAttributes, toGroup, toUser } = require('./attributes.js');
const { environmentPairs } = require('./env.js');
const { toPath, validateNoNul, validateNoNuls } = require('./paths.js');

const SIGTERM = 15;
const MAX_BUFFER = 1024 * 1024; // bytes
const MAX_ARGUMENTS = 2 ** 20; // execve(2) takes fewer: 9 bytes each, 6 MiB in all.

// What stands for an option that was not given. To give null or undefined is the same.
const SPAWN_DEFAULTS = Object.freeze({
  ...ATTRIBUTE_DEFAULTS,
  argv0: null,
  closeOn: 'stdio',
  cwd: null,
  detached: false,
  env: null,
  forceKillAfter: 0,
  gid: null,
  killSignal: SIGTERM,
  serialization: 'json',
  shell: false,
  signal: null,
  stdio: 'pipe',
  timeout: 0,
  uid: null,
  windowsHide: false,
  windowsVerbatimArguments: false,
});

const COLLECT_DEFAULTS = Object.freeze({
  encoding: 'utf8',
  killSignal: SIGTERM,
  maxBuffer: MAX_BUFFER,
  timeout: 0,
});

// Of spawn()'s options, exec() and execFile() pass over these.
const NOT_FOR_EXEC = Object.freeze(['argv0', 'detached', 'stdio', 'timeout', 'serialization']);

const RUN_DEFAULTS = Object.freeze({
  encoding: 'utf8',
  input: null,
  killSignal: SIGTERM,
  maxBuffer: 64 * MAX_BUFFER,
  reject: true,
  stdio: null,
  timeout: 0,
});

const SYNC_DEFAULTS = Object.freeze({ encoding: 'buffer', input: null, maxBuffer: MAX_BUFFER });

const [major] = process.versions.node.split('.').map(Number);
const shellArguments = { isWarned: false };

// Node says so at run time from 24 on, once a process.
function warnOfShellArguments() {
  if (major < 24 || shellArguments.isWarned) return;
  shellArguments.isWarned = true;
  process.emitWarning(
    'Passing args to a child process with shell option true can lead to security ' +
      'vulnerabilities, as the arguments are not escaped, only concatenated.',
    'DeprecationWarning',
    'DEP0190',
  );
}

/**
 * Of spawn(file[, args][, options]): what ChildProcess.prototype.spawn() takes, with
 * Node's names for it, and how the child is to be ended.
 */
function normalizeSpawn(file, args, options) {
  return normalizeShaped(shapeSpawn(file, args, options));
}

function normalizeShaped(call) {
  const given = withDefaults(SPAWN_DEFAULTS, call.options);
  validateSpawn(given);
  const attributes = normalizeAttributes(given);
  const command = toCommand(call.file, call.args, given);
  return Object.freeze({
    ...attributes,
    ...command,
    closeOn: given.closeOn,
    cwd: given.cwd === null ? null : toPath(given.cwd, 'options.cwd'),
    detached: given.detached || attributes.controllingTerminal !== null,
    envPairs: environmentPairs(given.env, command.args),
    forceKillAfter: given.forceKillAfter,
    gid: toGroup(given.gid, 'options.gid'),
    killSignal: toKillSignal(given.killSignal),
    serialization: given.serialization,
    signal: given.signal,
    stdio: given.stdio,
    timeout: given.timeout,
    uid: toUser(given.uid, 'options.uid'),
    windowsHide: given.windowsHide,
    windowsVerbatimArguments: given.windowsVerbatimArguments,
  });
}

/** Of execFile(file[, args][, options][, callback]). `spawn` are the options to spawn with. */
function normalizeExecFile(...call) {
  const { file, args, options, callback } = shapeExecFile(...call);
  const given = { ...COLLECT_DEFAULTS, ...options };
  validateTimeout(given.timeout);
  validateMaxBuffer(given.maxBuffer);
  const { windowsHide, windowsVerbatimArguments } = options;
  const spawn = {
    __proto__: null,
    ...options,
    windowsHide: Boolean(windowsHide),
    windowsVerbatimArguments: Boolean(windowsVerbatimArguments),
  };
  for (const name of NOT_FOR_EXEC) delete spawn[name];
  return Object.freeze({
    args,
    callback: callback ?? null,
    encoding: toEncoding(given.encoding),
    file,
    killSignal: toKillSignal(given.killSignal ?? SIGTERM),
    maxBuffer: given.maxBuffer ?? MAX_BUFFER,
    spawn,
    timeout: given.timeout ?? 0,
  });
}

/** exec(command[, options][, callback]), as execFile() is called for it. */
function normalizeExec(command, options, callback) {
  validateString(command, 'command');
  validateNoNul(command, 'command');
  const given = typeof options === 'function' ? undefined : options;
  const shell = typeof given?.shell === 'string' ? given.shell : true;
  return {
    file: command,
    options: { __proto__: null, ...given, shell },
    callback: typeof options === 'function' ? options : callback,
  };
}

/** Of run(file[, args][, options]). `spawn` are the options to spawn with. */
function normalizeRun(file, args, options) {
  const call = shapeSpawn(file, args, options);
  const given = withDefaults(RUN_DEFAULTS, call.options);
  validateTimeout(given.timeout);
  validateMaxBuffer(given.maxBuffer);
  validateBoolean(given.reject, 'options.reject');
  if (given.input !== null) validateInput(given.input, 'options.input');
  const stdio = given.stdio ?? [given.input === null ? 'ignore' : 'pipe', 'pipe', 'pipe'];
  return Object.freeze({
    args: call.args,
    encoding: toEncoding(given.encoding),
    file,
    input: given.input,
    killSignal: toKillSignal(given.killSignal),
    maxBuffer: given.maxBuffer,
    reject: given.reject,
    spawn: { ...call.options, stdio, timeout: 0 },
    timeout: given.timeout,
  });
}

/** Of spawnSync(): that of spawn(), and what to write and how much to read. */
function normalizeSync(file, args, options) {
  const call = shapeSpawn(file, args, options);
  delete call.options.signal; // Nothing could abort it.
  const spawn = normalizeShaped(call);
  const given = withDefaults(SYNC_DEFAULTS, call.options);
  validateMaxBuffer(given.maxBuffer);
  return Object.freeze({
    ...spawn,
    encoding: given.encoding,
    input: given.input,
    maxBuffer: given.maxBuffer,
  });
}

/** The forms of a call that take a file, arguments, options and perhaps a callback. */
function shapeExecFile(file, args, options, callback) {
  const call = { file, args, options, callback };
  if (typeof args === 'function') Object.assign(call, { args: null, options: null, callback: args });
  else if (args != null && typeof args === 'object' && !Array.isArray(args)) {
    Object.assign(call, { args: null, options: args, callback: options });
  }
  if (typeof call.options === 'function') Object.assign(call, { options: null, callback: call.options });
  else if (call.options != null) validateObject(call.options, 'options');
  if (call.callback != null) validateFunction(call.callback, 'callback');
  const shaped = {
    ...call,
    args: Array.isArray(call.args) ? copyArguments(call.args) : (call.args ?? []),
    options: own(call.options),
  };
  validateArgv0(shaped.options.argv0);
  return shaped;
}

function shapeSpawn(file, args, options) {
  validateString(file, 'file');
  validateNoNul(file, 'file');
  if (file.length === 0) throw invalidArgValue('file', file, 'cannot be empty');
  if (args != null && typeof args !== 'object') throw invalidArgType('args', 'object', args);
  const isOptions = args != null && !Array.isArray(args);
  const list = Array.isArray(args) ? copyArguments(args) : [];
  validateNoNuls(list, 'args');
  const given = isOptions ? args : options;
  if (given !== undefined) validateObject(given, 'options');
  return { file, args: list, options: own(given) };
}

function validateArguments(args, name) {
  validateArray(args, name);
  validateLength(args, name, MAX_ARGUMENTS);
}

function copyArguments(args) {
  validateArguments(args, 'args');
  return [...args];
}

// Without a prototype, so that an `Object.prototype.shell` is nobody's option.
function own(options) {
  return { __proto__: null, ...options };
}

// Every option that `defaults` has, and no other.
function withDefaults(defaults, options) {
  const given = { ...defaults };
  for (const name in options) {
    if (options[name] != null && Object.hasOwn(defaults, name)) given[name] = options[name];
  }
  return given;
}

function validateSpawn(given) {
  validateBoolean(given.detached, 'options.detached');
  if (typeof given.shell !== 'boolean') validateShell(given.shell);
  validateArgv0(given.argv0);
  validateBoolean(given.windowsHide, 'options.windowsHide');
  validateBoolean(given.windowsVerbatimArguments, 'options.windowsVerbatimArguments');
  validateTimeout(given.timeout);
  if (given.signal !== null) validateAbortSignal(given.signal, 'options.signal');
  validateOneOf(given.closeOn, 'options.closeOn', ['stdio', 'exit']);
  validateInteger(given.forceKillAfter, 'options.forceKillAfter', 0, 2 ** 31 - 1);
}

function validateShell(shell) {
  if (typeof shell !== 'string') throw invalidArgType('options.shell', ['boolean', 'string'], shell);
  validateNoNul(shell, 'options.shell');
}

function validateArgv0(argv0) {
  if (argv0 == null) return;
  validateString(argv0, 'options.argv0');
  validateNoNul(argv0, 'options.argv0');
}

function validateTimeout(timeout) {
  if (timeout != null) validateInteger(timeout, 'timeout', 0, Number.MAX_SAFE_INTEGER);
}

function validateInput(input, name) {
  if (typeof input === 'string' || ArrayBuffer.isView(input)) return;
  throw invalidArgType(name, ['string', 'Buffer', 'TypedArray', 'DataView'], input);
}

function validateMaxBuffer(maxBuffer) {
  if (maxBuffer != null) validateNumber(maxBuffer, 'options.maxBuffer', 0);
}

function toKillSignal(signal) {
  if (typeof signal !== 'string' && typeof signal !== 'number') {
    throw invalidArgType('options.killSignal', ['string', 'number'], signal);
  }
  return signalNumber(signal);
}

function toEncoding(encoding) {
  return encoding !== 'buffer' && Buffer.isEncoding(encoding) ? encoding : null;
}

/** The file to execute and its argument list, argv[0] included. */
function toCommand(file, args, { argv0, shell }) {
  if (!shell) return { file, args: [argv0 ?? file, ...args] };
  if (args.length > 0) warnOfShellArguments();
  const shellFile = typeof shell === 'string' ? shell : '/bin/sh';
  return { file: shellFile, args: [argv0 ?? shellFile, '-c', [file, ...args].join(' ')] };
}

module.exports = {
  SPAWN_DEFAULTS,
  normalizeExec,
  normalizeExecFile,
  normalizeRun,
  normalizeSpawn,
  normalizeSync,
  shapeExecFile,
  validateArguments,
};
