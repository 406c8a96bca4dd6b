'use strict';

// Parity: one scenario is run against Node's module and against pipewright's, what
// the user would see is written down, and both transcripts must be equal.

const { closing } = require('./closing');
const { temporaryFolder } = require('./socket_path');
const path = require('node:path');

const MODULES = {
  net: () => [require('node:net'), require('../../lib/net')],
  child_process: () => [require('node:child_process'), require('../../lib/child_process')],
};

// Numbers that differ from run to run. null, undefined and -1 are kept.
const VOLATILE_KEYS = /^(pid|fd|port|localPort|remotePort)$/;

/**
 * Runs `scenario(api, tools)` with Node's module and with ours. The tools:
 * `log(event, ...values)` writes a line; `lane(name)` gives another `log` with
 * lines of its own, for things whose order among each other is the kernel's choice
 * (the client's side and the server's); `record(emitter, names, log)`;
 * `socketPath(name)`; `closing(thing)`.
 *
 * @returns {Promise<object>} the transcript, for expectations about its content
 */
async function expectParity(moduleName, scenario, modules = MODULES) {
  const [theirs, ours] = modules[moduleName]();
  const expected = await transcribe(theirs, scenario);
  const actual = await transcribe(ours, scenario);
  expect(Object.values(expected).flat()).not.toHaveLength(0);
  expect(actual).toEqual(expected);
  return actual;
}

async function transcribe(api, scenario) {
  const folder = temporaryFolder();
  const lanes = {};
  const lane = (name) => {
    lanes[name] ??= [];
    return (event, ...values) => append(lanes[name], event, normalise(values, folder));
  };
  await scenario(api, {
    lane,
    log: lane('main'),
    record,
    closing,
    socketPath: (name = 's') => path.join(folder, name),
  });
  return lanes;
}

// Where one chunk ends and the next begins is the kernel's choice: neighbours join.
function append(lines, event, values) {
  const last = lines.at(-1);
  if (event === 'data' && last?.[0] === 'data' && typeof last[1] === typeof values[0]) last[1] += values[0];
  else lines.push([event, ...values]);
}

/** Writes down each event of `emitter` that is named in `names`. */
function record(emitter, names, log) {
  for (const name of names) emitter.on(name, (...args) => log(name, ...args));
}

/** A copy of `value` without what differs between two right answers. */
function normalise(value, folder) {
  if (typeof value === 'string') return value.replaceAll(folder, '<folder>');
  if (typeof value === 'function') return '<function>';
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map((item) => normalise(item, folder));
  if (ArrayBuffer.isView(value))
    return Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('latin1');
  if (value instanceof Error || typeof value.stack === 'string') return normaliseError(value, folder);
  const name = value.constructor?.name ?? 'Object';
  return name === 'Object' ? normaliseFields(value, folder) : `<${name}>`;
}

// The stack is not compared; `message` and `name` are not enumerable.
function normaliseError(err, folder) {
  return normaliseFields({ name: err.name, message: err.message, ...err }, folder);
}

function normaliseFields(object, folder) {
  const copy = {};
  for (const [key, value] of Object.entries(object)) {
    copy[key] = VOLATILE_KEYS.test(key) && value >= 0 && value !== null ? `<${key}>` : normalise(value, folder);
  }
  return copy;
}

module.exports = { expectParity, normalise, record };
