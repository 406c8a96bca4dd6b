'use strict';

// fork(): checks its arguments, and throws because it is not implemented yet.

const { notAvailable } = require('../base/errors.js');
const { validateArray, validateObject, validateOneOf } = require('../base/validate.js');
const { normalizeSpawn } = require('./options.js');
const { toPath, validateNoNuls } = require('./paths.js');

/** @throws always: Node's error for a wrong argument, else ERR_PIPEWRIGHT_NOT_AVAILABLE */
function fork(modulePath, args, options) {
  const path = toPath(modulePath, 'modulePath');
  const isOptions = args != null && typeof args === 'object' && !Array.isArray(args);
  if (args != null && !isOptions) validateArray(args, 'args');
  const given = isOptions ? args : options;
  if (given != null) validateObject(given, 'options');
  validateOneOf(given?.serialization, 'options.serialization', [undefined, 'json', 'advanced']);
  const execArgv = given?.execArgv ?? process.execArgv;
  validateNoNuls(execArgv, 'options.execArgv');
  const command = [...execArgv, path, ...(isOptions ? [] : (args ?? []))];
  normalizeSpawn(given?.execPath || process.execPath, command, { ...given, shell: false });
  throw notAvailable('fork()');
}

module.exports = { fork };
