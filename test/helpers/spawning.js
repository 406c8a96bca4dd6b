'use strict';

// Children started through the binding itself, for the tests of src/.

const { closeFd, PipeWrap, ProcessWrap, stdioSocketPair } = require('../../lib/base/binding');
const { closing } = require('./closing');

const BASE = Object.freeze({ file: 'true', args: ['true'] });
const NO_STDIO = Object.freeze([-1, -1, -1]);

/** The options with which ProcessWrap.spawn() runs a shell script. */
function script(text, options) {
  return { ...BASE, file: 'sh', args: ['sh', '-c', text], ...options };
}

/**
 * Starts a child with the options and the `stdio` of ProcessWrap.spawn(). `error` and `step` say why it could not; `exited` is a promise of
 * `[code, signal]`, and the handle is closed by then.
 */
function start({ stdio = NO_STDIO, ...options }) {
  const handle = new ProcessWrap();
  const exited = new Promise((resolve) => {
    handle.onexit = (code, signal) => {
      handle.usage = handle.resourceUsage();
      handle.close();
      resolve([code, signal]);
    };
  });
  const error = handle.spawn({ ...BASE, ...options }, stdio);
  if (error === 0) closing(() => endChild(handle, exited));
  return { handle, error, step: handle.failedStep(), pid: handle.pid(), exited };
}

// ESRCH: it has ended, and may have been closed without an exit.
function endChild(handle, exited) {
  return handle.kill(9) === 0 ? exited : undefined;
}

/**
 * Runs a child to its end.
 *
 * @returns {Promise<{ error: number, step: string, code: number, signal: number, output: string }>} `output` is what it
 *   wrote to the descriptor `outputFd` (1)
 */
async function run({ outputFd = 1, stdio: given = NO_STDIO, ...options }) {
  const [ours, theirs] = stdioSocketPair();
  const stdio = [...given];
  stdio[outputFd] = theirs;
  const child = start({ ...options, stdio });
  closeFd(theirs);
  const output = await readAll(ours, child.error === 0 ? child.handle : undefined);
  const [code, signal] = child.error === 0 ? await child.exited : [null, null];
  return { error: child.error, step: child.step, code, signal, output };
}

/** @returns {Promise<string>} all that comes out of the descriptor, which is then closed */
function readAll(fd, child) {
  const pipe = new PipeWrap();
  pipe.open(fd);
  if (child) pipe.joinGroup(child);
  const chunks = [];
  return new Promise((resolve) => {
    pipe.onread = (nread, chunk) => {
      if (nread >= 0) return chunks.push(chunk);
      pipe.onclose = () => resolve(Buffer.concat(chunks).toString());
      return pipe.close();
    };
    pipe.readStart();
  });
}

module.exports = { readAll, run, script, start };
