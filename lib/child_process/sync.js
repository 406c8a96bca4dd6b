'use strict';

// spawnSync(), execFileSync() and execSync(): start a child and wait for its end.

const binding = require('../base/binding.js');
const { commandFailed, spawnException } = require('../base/errors.js');
const { signalName } = require('../base/signal_names.js');
const { normalizeExec, normalizeSync, shapeExecFile } = require('./options.js');
const { validateMaySpawn } = require('./permission.js');
const { toSyncPipes } = require('./stdio.js');

/**
 * Runs a program and waits for its end.
 *
 * @returns {object} { pid, status, signal, output, stdout, stderr, error? } and, not enumerable, resourceUsage
 */
function spawnSync(file, args, options) {
  const call = normalizeSync(file, args, options);
  validateMaySpawn();
  const { stdio, pipes, input } = toSyncPipes(call.stdio, call.input, call.encoding);
  const ended = binding.spawnSync(call, stdio, pipes, input);
  return typeof ended === 'number' ? toResult(call, { ...NO_CHILD, error: ended }) : toResult(call, ended);
}

const NO_CHILD = Object.freeze({ pid: 0, status: null, signal: null, output: null, resourceUsage: undefined });

function toResult({ file, spawnargs, encoding }, ended) {
  const { pid, status, signal } = ended;
  const output = ended.output && decode(ended.output, encoding);
  const result = {
    pid,
    status,
    signal: signal === null ? null : signalName(signal),
    output,
    stdout: output && output[1],
    stderr: output && output[2],
  };
  describeUse(result, ended.resourceUsage ?? null);
  if (ended.error !== 0) {
    const detail = { path: file, spawnargs, step: ended.errorStep };
    result.error = spawnException(ended.error, `spawnSync ${file}`, detail);
  }
  return result;
}

// Not enumerable: a caller who iterates over the result finds Node's properties only.
function describeUse(target, resourceUsage) {
  Object.defineProperty(target, 'resourceUsage', { value: resourceUsage, configurable: true, writable: true });
}

function decode(output, encoding) {
  if (!encoding || encoding === 'buffer') return output;
  return output.map((bytes) => bytes && bytes.toString(encoding));
}

/**
 * Runs a program and returns its stdout. Its stderr is written to ours, unless `stdio`
 * is given.
 *
 * @returns {Buffer | string}
 * @throws the error of spawnSync(), or an error if `status` is not 0; both have all
 *   properties of spawnSync()'s result
 */
function execFileSync(file, args, options) {
  const call = shapeExecFile(file, args, options);
  const result = spawnSync(call.file, call.args, call.options);
  return finish(result, call.options, [call.options.argv0 || call.file, ...call.args].join(' '));
}

/** Runs a command line in a shell; otherwise like execFileSync(). */
function execSync(command, options) {
  const call = normalizeExec(command, options);
  return finish(spawnSync(call.file, call.options), call.options, command);
}

function finish(result, options, command) {
  if (!options.stdio && result.stderr) process.stderr.write(result.stderr);
  const error = result.error ?? (result.status === 0 ? undefined : failure(result, command));
  if (error === undefined) return result.stdout;
  describeUse(error, result.resourceUsage);
  throw Object.assign(error, result);
}

function failure({ stderr }, command) {
  const detail = stderr?.length > 0 ? `\n${stderr}` : '';
  return commandFailed(`Command failed: ${command}${detail}`);
}

module.exports = { execFileSync, execSync, spawnSync };
