'use strict';

// Converts the arguments of spawn(), execFile() and the like to one complete, frozen
// object: shape the call, fill in defaults, check each option, check them together. No
// other file looks at a caller's options, and the addon reads this object as it is.

const { signals } = require('node:os').constants;

const { MAX_TIMER } = require('../base/constants.js');
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
const { pairsUnlessInherited } = require('./env.js');
const { MESSAGE_DEFAULTS, normalizeMessages } = require('./message_options.js');
const { toPath, validateNoNul, validateNoNuls } = require('./paths.js');

const { SIGTERM } = signals;
const MAX_BUFFER = 1024 * 1024; // bytes
const MAX_ARGUMENTS = 2 ** 20; // execve(2) takes fewer: at 9 bytes each, 6 MiB is its limit.

// Options that start a child. null and undefined mean "not given".
const SPAWN_DEFAULTS = Object.freeze({
  ...ATTRIBUTE_DEFAULTS,
  argv0: null,
  closeOn: 'stdio',
  cwd: null,
  detached: false,
  env: null,
  gid: null,
  ...MESSAGE_DEFAULTS,
  shell: false,
  stdio: 'pipe',
  uid: null,
  windowsHide: false,
  windowsVerbatimArguments: false,
});

// Options that end a child from outside: see deadline.js.
const DEADLINE_DEFAULTS = Object.freeze({ forceKillAfter: 0, killSignal: SIGTERM, signal: null, timeout: 0 });

const EXEC_DEFAULTS = Object.freeze({ encoding: 'utf8', maxBuffer: MAX_BUFFER });

// exec() and execFile() ignore these options of spawn().
const NOT_FOR_EXEC = Object.freeze(['argv0', 'detached', 'stdio', 'serialization']);

const RUN_DEFAULTS = Object.freeze({
  encoding: 'utf8',
  input: null,
  maxBuffer: 64 * MAX_BUFFER,
  reject: true,
  stdio: null,
});

const SYNC_DEFAULTS = Object.freeze({ encoding: 'buffer', input: null, maxBuffer: MAX_BUFFER });

const [major] = process.versions.node.split('.').map(Number);
const shellArguments = { isWarned: false };

// Since version 24 Node warns at run time, once in a process.
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
 * spawn(file[, args][, options]). Returns the options of ChildProcess.prototype.spawn(),
 * with the names that Node gives them, and those of deadline.js.
 */
function normalizeSpawn(file, args, options) {
  const call = shapeSpawn(file, args, options);
  return Object.freeze({ ...normalizeStart(call), ...normalizeDeadline(call.options) });
}

// Returns the options of ChildProcess.prototype.spawn().
function normalizeStart(call) {
  const given = withDefaults(SPAWN_DEFAULTS, call.options);
  validateSpawn(given);
  const attributes = normalizeAttributes(given);
  const command = toCommand(call.file, call.args, given);
  return {
    ...attributes,
    ...command,
    closeOn: given.closeOn,
    cwd: given.cwd === null ? null : toPath(given.cwd, 'options.cwd'),
    detached: given.detached || attributes.controllingTerminal !== null,
    envPairs: pairsUnlessInherited(given.env, command.args),
    gid: toGroup(given.gid, 'options.gid'),
    ...normalizeMessages(given, call.options),
    stdio: given.stdio,
    uid: toUser(given.uid, 'options.uid'),
    windowsHide: given.windowsHide,
    windowsVerbatimArguments: given.windowsVerbatimArguments,
  };
}

function normalizeDeadline(options) {
  const { forceKillAfter, killSignal, signal, timeout } = withDefaults(DEADLINE_DEFAULTS, options);
  validateInteger(timeout, 'timeout', 0, Number.MAX_SAFE_INTEGER);
  if (signal !== null) validateAbortSignal(signal, 'options.signal');
  validateInteger(forceKillAfter, 'options.forceKillAfter', 0, MAX_TIMER);
  return { forceKillAfter, killSignal: toKillSignal(killSignal), signal, timeout };
}

// For execFile() and run(), whose timeout lasts until 'close', where that of spawn() ends
// with 'exit'. `start` is what normalizeSpawn() would return, but without a timeout.
function untilClose(start, deadline) {
  const { killSignal, timeout } = deadline;
  return { killSignal, timeout, start: Object.freeze({ ...start, ...deadline, timeout: 0 }) };
}

// Options of the output: see output.js. `encoding` null means Buffers.
function normalizeCollecting({ encoding, maxBuffer }) {
  validateNumber(maxBuffer, 'options.maxBuffer', 0);
  return { encoding: encoding !== 'buffer' && Buffer.isEncoding(encoding) ? encoding : null, maxBuffer };
}

/** execFile(file[, args][, options][, callback]). */
function normalizeExecFile(...call) {
  const { file, args, options, callback } = shapeExecFile(...call);
  const deadline = normalizeDeadline(options);
  const given = withDefaults(EXEC_DEFAULTS, options);
  if ('encoding' in options) given.encoding = options.encoding; // null asks for Buffers.
  const collecting = normalizeCollecting(given);
  const { windowsHide, windowsVerbatimArguments } = options;
  const startOptions = {
    __proto__: null,
    ...options,
    windowsHide: Boolean(windowsHide),
    windowsVerbatimArguments: Boolean(windowsVerbatimArguments),
  };
  for (const name of NOT_FOR_EXEC) delete startOptions[name];
  const start = normalizeStart(shapeSpawn(file, args, startOptions));
  return Object.freeze({
    ...collecting,
    args,
    callback: callback ?? null,
    file,
    ...untilClose(start, deadline),
  });
}

/** exec(command[, options][, callback]). Returns the arguments for execFile(). */
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

/** run(file[, args][, options]). */
function normalizeRun(file, args, options) {
  const call = shapeSpawn(file, args, options);
  const deadline = normalizeDeadline(call.options);
  const given = withDefaults(RUN_DEFAULTS, call.options);
  const collecting = normalizeCollecting(given);
  validateBoolean(given.reject, 'options.reject');
  if (given.input !== null) validateInput(given.input, 'options.input');
  call.options.stdio = given.stdio ?? [given.input === null ? 'ignore' : 'pipe', 'pipe', 'pipe'];
  return Object.freeze({
    ...collecting,
    args: call.args,
    file,
    input: given.input,
    reject: given.reject,
    ...untilClose(normalizeStart(call), deadline),
  });
}

/**
 * spawnSync(file[, args][, options]). Returns what the addon takes. `args` are strings;
 * `spawnargs` are the arguments as the caller gave them.
 */
function normalizeSync(file, args, options) {
  const call = shapeSpawn(file, args, options);
  delete call.options.signal; // No code of the caller could abort it before the child has ended.
  const start = normalizeStart(call);
  const deadline = normalizeDeadline(call.options);
  const given = withDefaults(SYNC_DEFAULTS, call.options);
  const { maxBuffer } = normalizeCollecting(given);
  return toNative({
    ...start,
    ...deadline,
    encoding: given.encoding, // An unknown encoding is an error in spawnSync(), as in Node.
    input: given.input,
    maxBuffer,
    spawnargs: start.args.slice(1),
  });
}

/**
 * Converts the argument of ChildProcess.prototype.spawn() to what the addon takes. That
 * method is public: tools that wrap it pass plain objects with Node's names, without most
 * of the options, and with arguments that are not strings.
 */
function toNative(options) {
  return Object.freeze({
    ...options,
    args: options.args?.length > 0 ? options.args.map(String) : [options.file],
    cwd: options.cwd || null,
    detached: Boolean(options.detached),
  });
}

/** Sorts the arguments of a call whose arguments, options and callback are all optional. */
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

// The copy has no prototype, so that `Object.prototype.shell` does not count as an option.
function own(options) {
  return { __proto__: null, ...options };
}

// Returns an object that has every option of `defaults`, and no other.
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
  validateOneOf(given.closeOn, 'options.closeOn', ['stdio', 'exit']);
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

function validateInput(input, name) {
  if (typeof input === 'string' || ArrayBuffer.isView(input)) return;
  throw invalidArgType(name, ['string', 'Buffer', 'TypedArray', 'DataView'], input);
}

function toKillSignal(signal) {
  if (typeof signal !== 'string' && typeof signal !== 'number') {
    throw invalidArgType('options.killSignal', ['string', 'number'], signal);
  }
  return signalNumber(signal);
}

// Returns the file to execute, and its arguments including argv[0].
function toCommand(file, args, { argv0, shell }) {
  if (!shell) return { file, args: [argv0 ?? file, ...args] };
  if (args.length > 0) warnOfShellArguments();
  const shellFile = typeof shell === 'string' ? shell : '/bin/sh';
  return { file: shellFile, args: [argv0 ?? shellFile, '-c', [file, ...args].join(' ')] };
}

module.exports = {
  normalizeExec,
  normalizeExecFile,
  normalizeRun,
  normalizeSpawn,
  normalizeSync,
  shapeExecFile,
  toNative,
  validateArguments,
};
