'use strict';

// Node's permission model (--permission), which an addon would otherwise bypass.

const { accessDenied } = require('../base/errors.js');

const PERMISSION = /^--permission(-audit)?(=|$)/;
const HANDED_ON = /^--(permission|allow-)/;
const [major] = process.versions.node.split('.').map(Number);

/** @throws ERR_ACCESS_DENIED if this process may not start others */
function validateMaySpawn() {
  // Defined only under --permission.
  if (process.permission !== undefined && !process.permission.has('child')) throw accessDenied('ChildProcess');
}

/**
 * Since Node 24, a child gets its parent's permissions, unless it is started with its own.
 *
 * @returns {string | undefined} NODE_OPTIONS for the child; undefined if they need no change
 */
function permissionFlags(args, nodeOptions) {
  if (process.permission === undefined || major < 24) return undefined;
  const own = [...args, ...(nodeOptions ?? '').split(/\s+/)];
  if (own.some((arg) => PERMISSION.test(arg))) return undefined;
  const flags = process.execArgv.filter((arg) => HANDED_ON.test(arg));
  return flags.length === 0 ? undefined : [nodeOptions, ...flags].filter(Boolean).join(' ');
}

module.exports = { permissionFlags, validateMaySpawn };
