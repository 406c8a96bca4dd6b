'use strict';

// Looks up the numbers of users and groups by name, in /etc/passwd and /etc/group.

const fs = require('node:fs');

const { invalidArgType, invalidArgValue } = require('./errors.js');
const { validateInteger } = require('./validate.js');

const MAX_ID = 2 ** 32 - 2; // (uid_t)-1 means "do not change" to chown(2).

// Both files have the name first and the number third: name:x:number:…
function lookUp(file, name) {
  for (const line of fs.readFileSync(file, 'utf8').split('\n')) {
    const fields = line.split(':');
    if (fields[0] === name && fields.length > 2) return Number(fields[2]);
  }
  return undefined;
}

function toId(value, name, file, what) {
  if (typeof value === 'number') {
    validateInteger(value, name, 0, MAX_ID);
    return value;
  }
  if (typeof value !== 'string') throw invalidArgType(name, ['number', 'string'], value);
  const id = lookUp(file, value);
  if (id === undefined) throw invalidArgValue(name, value, `is no ${what} of this system`);
  return id;
}

/** Returns the uid of a user given by number or name. `name` is the option's, for errors. */
function userId(value, name = 'user') {
  return toId(value, name, '/etc/passwd', 'user');
}

/** Returns the gid of a group given by number or name. */
function groupId(value, name = 'group') {
  return toId(value, name, '/etc/group', 'group');
}

module.exports = { groupId, userId };
