'use strict';

// The option `stdio`: converts it to a list of plain entries, and opens descriptors for
// them.

const { isView: isArrayBufferView } = ArrayBuffer;

const binding = require('../base/binding.js');
const { stopReading } = require('../fd/node_objects.js');
const { kStopReading } = require('../net/symbols.js');
const { invalidArgType, invalidArgValue, plain, syncForkInput } = require('../base/errors.js');
const { validateLength } = require('../base/validate.js');

const MAX_DESCRIPTORS = 2 ** 20; // The default of fs.nr_open, the kernel's limit for a process.
const STANDARD = 3; // Every child has descriptors 0, 1 and 2.
const IGNORED = -1; // The child gets /dev/null as 0, 1 or 2; any other descriptor is closed.
const CONNECTED = new Set(['channel', 'fifo', 'ipc', 'pipe']); // Kinds with two ends, of which one is ours.
const kLent = Symbol('lent'); // On a stream: true once a child has it as its stdio.
const SHORTHANDS = {
  __proto__: null,
  pipe: 'pipe',
  overlapped: 'pipe',
  fifo: 'fifo',
  ignore: 'ignore',
  inherit: 'inherit',
};

/**
 * @typedef {object} Entry one descriptor of the child
 * @property {'pipe' | 'fifo' | 'ignore' | 'ipc' | 'channel' | 'fd' | 'stream'} kind 'channel': of
 *   the option `pipewrightChannel`
 * @property {number} fd our descriptor, for 'fd' and 'stream'; else -1
 * @property {any} stream for 'stream': the stream whose descriptor the child gets
 * @property {any} input for spawnSync(): the bytes to write to the child
 */

/**
 * Converts the option `stdio`.
 *
 * @param {any} stdio
 * @param {boolean} sync for spawnSync()
 * @returns {Entry[]}
 */
function normalizeStdio(stdio, sync) {
  const list = typeof stdio === 'string' ? expand(stdio) : stdio;
  if (!Array.isArray(list)) throw invalidArgValue('stdio', stdio);
  validateLength(list, 'options.stdio', MAX_DESCRIPTORS);
  const length = Math.max(list.length, STANDARD);
  const entries = Array.from({ length }, (_, i) => toEntry(list[i] ?? (i < STANDARD ? 'pipe' : 'ignore'), i, sync));
  if (entries.filter(({ kind }) => kind === 'ipc').length > 1) throw plain('ERR_IPC_ONE_PIPE');
  return entries;
}

function expand(word) {
  if (SHORTHANDS[word] === undefined) throw invalidArgValue('stdio', word);
  return new Array(STANDARD).fill(word);
}

function toEntry(value, index, sync) {
  if (typeof value === 'string') return toNamedEntry(value, index, sync);
  if (typeof value === 'number') return value < 0 ? entry('pipe') : entry('fd', value);
  if (isArrayBufferView(value)) return toInputEntry(value, sync);
  if (typeof value?.fd === 'number') return entry('fd', value.fd);
  if (sync && value?.input != null) return { ...entry('pipe'), input: value.input };
  const fd = descriptorOf(value);
  if (fd === undefined) throw invalidArgValue('stdio', value);
  return { ...entry('stream', fd), stream: value };
}

function toNamedEntry(word, index, sync) {
  if (word === 'inherit') return entry('fd', index);
  if (SHORTHANDS[word] !== undefined) return entry(SHORTHANDS[word]);
  if (word !== 'ipc') return toInputEntry(word, sync);
  if (sync) throw plain('ERR_IPC_SYNC_FORK');
  return entry('ipc');
}

function toInputEntry(value, sync) {
  if (!sync) throw syncForkInput(value);
  return entry('ignore');
}

function entry(kind, fd = IGNORED) {
  return { kind, fd, stream: null, input: null };
}

// Returns the descriptor of a socket of Node's or ours; undefined for anything else.
function descriptorOf(stream) {
  const fd = (stream?._handle ?? stream?.handle)?.fd;
  return Number.isInteger(fd) && fd >= 0 ? fd : undefined;
}

/**
 * Opens what a spawn needs. `childFds` has, for each of the child's descriptors, the one
 * of ours that it will be; the caller closes those in `lentFds` once the child has them.
 * `parentFds` has, for each of the child's descriptors, our end or -1; the caller closes
 * it. `error` is 0 or a negative errno; after an error nothing is open.
 */
function openStdio(entries) {
  const opened = { childFds: [], lentFds: [], parentFds: [], error: 0 };
  for (const [index, { kind, fd }] of entries.entries()) {
    const [parentFd, childFd] = CONNECTED.has(kind) ? openPair(kind, index) : [IGNORED, fd];
    if (childFd < 0 && childFd !== IGNORED) {
      closeFds([...opened.lentFds, ...opened.parentFds]);
      return { childFds: [], lentFds: [], parentFds: [], error: childFd };
    }
    opened.childFds.push(childFd);
    opened.parentFds.push(parentFd);
    if (parentFd !== IGNORED) opened.lentFds.push(childFd);
  }
  return opened;
}

// 'pipe' is a socket pair, so that both ends can be read and written. 'fifo' is pipe(2),
// as in a shell: it goes one way, and the child can open it again as /dev/stdout.
function openPair(kind, index) {
  const pair = kind === 'fifo' ? binding.pipe() : binding.stdioSocketPair();
  if (typeof pair === 'number') return [IGNORED, pair];
  const [first, second] = pair;
  return kind === 'fifo' && index === 0 ? [second, first] : [first, second];
}

/**
 * Does the same for spawnSync(), for which the binding makes the pairs. `pipes` lists the
 * child's descriptors that are connected to us; `input` has the bytes to write, by descriptor.
 */
function toSyncPipes(stdio, input, encoding) {
  const entries = normalizeStdio(stdio, true);
  if (input && entries[0].kind !== 'fd') entries[0] = { ...entries[0], kind: 'pipe', input };
  const isPipe = ({ kind }) => kind === 'pipe' || kind === 'fifo';
  return {
    stdio: entries.map((each) => (isPipe(each) ? IGNORED : each.fd)),
    pipes: [...entries.keys()].filter((index) => isPipe(entries[index])),
    input: entries.map((each, index) => toBytes(each.input, index, encoding)),
  };
}

function toBytes(input, index, encoding) {
  if (input == null) return undefined;
  if (ArrayBuffer.isView(input)) return input;
  if (typeof input === 'string') return Buffer.from(input, Buffer.isEncoding(encoding) ? encoding : 'utf8');
  throw invalidArgType(`options.stdio[${index}]`, ['Buffer', 'TypedArray', 'DataView', 'string'], input);
}

function closeFds(fds) {
  for (const fd of fds) {
    if (fd >= 0) binding.closeFd(fd);
  }
}

/**
 * Stops reading from a stream that a child now has as its stdio: we must not take bytes
 * that are meant for the child. Reading resumes when the caller reads from it again.
 */
function lend(stream) {
  stream[kLent] = true;
  if (typeof stream[kStopReading] === 'function') {
    stream[kStopReading]();
  } else {
    stopReading(stream);
  }
}

/** Reports whether a child has this stream as its stdio. */
function isLent(stream) {
  return stream[kLent] === true;
}

module.exports = { closeFds, isLent, lend, normalizeStdio, openStdio, toSyncPipes };
