'use strict';

// The descriptors that systemd passes to a service: they start at number 3, and the
// environment names them. Each is given away once: by listenDescriptors(), or by its name to a
// listener of a cluster that systemd has kept. See sd_listen_fds(3).

const { closeOnExec } = require('./binding.js');
const { errnoException, invalidArgValue } = require('./errors.js');

const FIRST_FD = 3;
const UNNAMED = 'unknown'; // The name that sd_listen_fds_with_names(3) uses.

// A primary that is replaced does not know the pid of the next one before it has started it,
// and puts its own pid into this variable in place of LISTEN_PID.
const PARENT = 'PIPEWRIGHT_LISTEN_PARENT';
const VARIABLES = ['LISTEN_PID', 'LISTEN_PIDFDID', 'LISTEN_FDS', 'LISTEN_FDNAMES', PARENT];

/** { fd, name } of those that were not given away yet. */
const left = [];
/** The names of all, by number. */
const names = new Map();

// Takes the variables out of the environment, so that a child does not take them for its own.
function read() {
  const { LISTEN_PID, LISTEN_FDS, LISTEN_FDNAMES, [PARENT]: parent } = process.env;
  for (const variable of VARIABLES) delete process.env[variable];
  const isOurs = LISTEN_PID === String(process.pid) || parent === String(process.ppid);
  if (LISTEN_FDS === undefined || !isOurs) return;
  const count = countOf(LISTEN_FDS);
  const given = namesOf(count, LISTEN_FDNAMES);
  for (let i = 0; i < count; i++) add(FIRST_FD + i, given?.[i] ?? UNNAMED);
}

function countOf(text) {
  if (!/^\d{1,9}$/.test(text)) throw invalidArgValue('process.env.LISTEN_FDS', text, 'must be a number of descriptors');
  return Number(text);
}

function namesOf(count, text) {
  if (text === undefined) return undefined;
  const list = count === 0 ? [] : text.split(':');
  if (list.length === count) return list;
  throw invalidArgValue('process.env.LISTEN_FDNAMES', text, `must have ${count} names`);
}

function add(fd, name) {
  const err = closeOnExec(fd);
  if (err !== 0) throw errnoException(err, 'fcntl', `descriptor ${fd}`);
  left.push({ fd, name });
  names.set(fd, name);
}

/**
 * Gives away all that are left.
 *
 * @returns {{ fd: number, name: string }[]}
 * @throws ERR_INVALID_ARG_VALUE if the variables contradict each other; EBADF
 */
function takeAll() {
  read();
  return left.splice(0);
}

/**
 * Gives away the first of that name.
 *
 * @returns {number | undefined} undefined if none is left
 * @throws as takeAll()
 */
function takeNamed(name) {
  read();
  const index = left.findIndex((each) => each.name === name);
  return index < 0 ? undefined : left.splice(index, 1)[0].fd;
}

/** @returns {string | undefined} the name under which systemd passed it; undefined if it did not */
const nameOf = (fd) => names.get(fd);

/**
 * What the environment of a child says of the descriptors that it gets from number 3 on.
 *
 * @param {readonly string[]} list their names
 */
function activationVariables(list) {
  return { LISTEN_FDS: String(list.length), LISTEN_FDNAMES: list.join(':'), [PARENT]: String(process.pid) };
}

module.exports = { FIRST_FD, activationVariables, nameOf, takeAll, takeNamed };
