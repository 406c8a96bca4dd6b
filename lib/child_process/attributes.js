'use strict';

// Options that node:child_process does not have and that set attributes of a new child:
// umask, limits, groups and others. They are part of the normalised options.

const { isMainThread } = require('node:worker_threads');

const { groupId, userId } = require('../base/accounts.js');
const { incompatibleOptions, invalidArgType, invalidArgValue, mainThreadOnly } = require('../base/errors.js');
const { signalNumber } = require('../base/signal_names.js');
const { validateArray, validateBoolean, validateInt32, validateInteger } = require('../base/validate.js');
const { validateLength, validateObject, validateOneOf } = require('../base/validate.js');

/** null means "not given": the attribute is not set. */
const ATTRIBUTE_DEFAULTS = Object.freeze({
  closeDescriptors: true,
  controllingTerminal: null,
  engine: null,
  groups: null,
  noNewPrivileges: false,
  parentDeathSignal: null,
  priority: null,
  processGroup: null,
  rlimits: null,
  umask: null,
});

// The numbers that setrlimit(2) takes. They are the same on every Linux except MIPS,
// Alpha and SPARC, where Node does not run.
const RESOURCES = Object.freeze({
  __proto__: null,
  cpu: 0,
  fsize: 1,
  data: 2,
  stack: 3,
  core: 4,
  rss: 5,
  nproc: 6,
  nofile: 7,
  memlock: 8,
  as: 9,
  locks: 10,
  sigpending: 11,
  msgqueue: 12,
  nice: 13,
  rtprio: 14,
  rttime: 15,
});

// Options that uv_spawn() does not have.
const NOT_OF_UV = Object.freeze([
  'controllingTerminal',
  'groups',
  'noNewPrivileges',
  'parentDeathSignal',
  'priority',
  'processGroup',
  'rlimits',
  'umask',
]);

const NAME = /^[\w.][\w.@-]*\$?$/; // The name of a user or group; see useradd(8).
const MAX_GROUPS = 65536; // NGROUPS_MAX
const MAX_ID = 2 ** 32 - 2; // (uid_t)-1 means "do not change" to the kernel.

/** Returns the attributes of `given`, which must have all options, in the form that the binding takes. */
function normalizeAttributes(given) {
  const attributes = Object.freeze({
    closeDescriptors: toBoolean(given, 'closeDescriptors'),
    controllingTerminal: toControllingTerminal(given.controllingTerminal),
    engine: toEngine(given.engine),
    groups: toGroups(given.groups),
    noNewPrivileges: toBoolean(given, 'noNewPrivileges'),
    parentDeathSignal: toParentDeathSignal(given.parentDeathSignal),
    priority: toPriority(given.priority),
    processGroup: toProcessGroup(given.processGroup),
    rlimits: toRlimits(given.rlimits),
    umask: toUmask(given.umask),
  });
  validateTogether(attributes, given.detached);
  return attributes;
}

/** Converts `uid`: a number, or a name from /etc/passwd. toGroup() takes names from /etc/group. */
function toUser(value, option) {
  return toAccount(value, option, userId);
}

function toGroup(value, option) {
  return toAccount(value, option, groupId);
}

function toAccount(value, option, lookUp) {
  if (value == null) return null;
  if (typeof value === 'string') {
    if (!NAME.test(value)) throw invalidArgType(option, ['number', 'name'], value);
    return lookUp(value, option);
  }
  validateInteger(value, option, -(2 ** 31), MAX_ID);
  return value;
}

function toBoolean(given, name) {
  validateBoolean(given[name], `options.${name}`);
  return given[name];
}

// `fd` is a number in the child: the index of an entry of `stdio`.
function toControllingTerminal(fd) {
  if (fd !== null) validateInt32(fd, 'options.controllingTerminal', 0);
  return fd;
}

function toEngine(engine) {
  if (engine !== null) validateOneOf(engine, 'options.engine', ['vfork', 'uv']);
  return engine;
}

function toGroups(groups) {
  if (groups === null) return null;
  validateArray(groups, 'options.groups');
  validateLength(groups, 'options.groups', MAX_GROUPS);
  return groups.map((group, i) => {
    const name = `options.groups[${i}]`;
    if (group == null) throw invalidArgType(name, ['number', 'string'], group);
    return toGroup(group, name);
  });
}

// The kernel sends this signal when the *thread* that spawned the child ends, and a worker
// thread ends long before the process does.
function toParentDeathSignal(signal) {
  if (signal === null) return null;
  if (!isMainThread) throw mainThreadOnly('options.parentDeathSignal');
  return signalNumber(signal);
}

function toPriority(priority) {
  if (priority === null) return null;
  validateInt32(priority, 'options.priority', -20, 19);
  return priority;
}

// `true` makes a new process group for the child; setpgid(2) takes 0 for that.
function toProcessGroup(group) {
  if (group === null || group === false) return null;
  if (group === true) return 0;
  if (typeof group !== 'number') throw invalidArgType('options.processGroup', ['boolean', 'number'], group);
  validateInt32(group, 'options.processGroup', 1);
  return group;
}

// { nofile: 64 } sets both limits to 64; { nofile: [64, 128] } gives the soft and the hard one.
function toRlimits(rlimits) {
  if (rlimits === null) return null;
  validateObject(rlimits, 'options.rlimits');
  return Object.entries(rlimits)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => {
      const option = `options.rlimits.${name}`;
      if (RESOURCES[name] === undefined) {
        throw invalidArgValue(option, value, `is no limit; there are: ${Object.keys(RESOURCES).join(', ')}`);
      }
      const pair = Array.isArray(value) ? value : [value, value];
      if (pair.length !== 2) throw invalidArgValue(option, value, 'must be one limit, or [soft, hard]');
      const [soft, hard] = pair.map((limit) => toLimit(limit, option));
      if (soft > hard) throw invalidArgValue(option, value, 'must not have a soft limit above the hard one');
      return [RESOURCES[name], soft, hard];
    });
}

function toLimit(limit, option) {
  if (limit === Infinity || limit === 'unlimited') return Infinity;
  if (typeof limit !== 'number') throw invalidArgType(option, ['number', 'Array'], limit);
  validateInteger(limit, option, 0, Number.MAX_SAFE_INTEGER);
  return limit;
}

// Accepts what process.umask() accepts: a number, or a string of octal digits.
function toUmask(umask) {
  if (umask === null) return null;
  if (typeof umask === 'string') {
    if (!/^[0-7]{1,4}$/.test(umask)) throw invalidArgValue('options.umask', umask, 'must be an octal string');
    return parseInt(umask, 8) & 0o777;
  }
  validateInt32(umask, 'options.umask', 0, 0o777);
  return umask;
}

// `detached` makes a new session, and a controlling terminal needs one. A new session
// always has a new process group, so it cannot be combined with `processGroup`.
function validateTogether(attributes, detached) {
  const { controllingTerminal, engine, processGroup } = attributes;
  const lacking = engine === 'uv' && NOT_OF_UV.find((name) => attributes[name] !== ATTRIBUTE_DEFAULTS[name]);
  if (lacking) throw incompatibleOptions(lacking, "engine: 'uv'");
  if (processGroup === null) return;
  if (detached) throw incompatibleOptions('processGroup', 'detached');
  if (controllingTerminal !== null) throw incompatibleOptions('processGroup', 'controllingTerminal');
}

module.exports = { ATTRIBUTE_DEFAULTS, normalizeAttributes, toGroup, toUser };
