'use strict';

// The arguments of Node that a child has from this process.

/** @returns {string[]} process.execArgv, but a program that was given with -e: it is this process's own */
function inheritedExecArgv() {
  const args = [...process.execArgv];
  const { _eval: program } = /** @type {any} */ (process);
  const index = program == null ? -1 : args.lastIndexOf(program);
  if (index > 0) args.splice(index - 1, 2);
  return args;
}

module.exports = { inheritedExecArgv };
