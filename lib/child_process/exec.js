'use strict';

// execFile() and exec(): start a child, gather its output and pass it to a callback.

const { getSystemErrorName, promisify } = require('node:util');

const { commandFailed, maxBufferExceeded } = require('../base/errors.js');
const { atTimeout } = require('./deadline.js');
const { normalizeExec, normalizeExecFile } = require('./options.js');
const { Output } = require('./output.js');
const { start } = require('./spawn.js');

/**
 * Runs a program. The callback gets (error, stdout, stderr) once the program and its
 * streams have ended.
 *
 * @returns {import('./child.js').ChildProcess}
 */
function execFile(file, args, options, callback) {
  const call = normalizeExecFile(file, args, options, callback);
  const child = start(call.start);
  new Execution(child, call);
  return child;
}

/**
 * Runs a command line in a shell; otherwise like execFile().
 *
 * @returns {import('./child.js').ChildProcess}
 */
function exec(command, options, callback) {
  const call = normalizeExec(command, options, callback);
  return execFile(call.file, call.options, call.callback);
}

// One run: gathers the output and, at the end, calls the callback.
class Execution {
  #child;
  #call;
  #output;
  #error = null;
  #isKilled = false;
  #isOver = false;

  constructor(child, call) {
    this.#child = child;
    this.#call = call;
    atTimeout(child, call.timeout, 'close', () => this.#kill());
    this.#output = new Output(child, call, (name) => {
      this.#error = maxBufferExceeded(name);
      this.#kill();
    });
    child.on('close', (code, signal) => this.#end(code, signal));
    child.on('error', (err) => this.#fail(err));
  }

  #kill() {
    this.#destroyStreams();
    this.#isKilled = true;
    try {
      this.#child.kill(this.#call.killSignal);
    } catch (err) {
      this.#error = err;
      this.#end();
    }
  }

  #fail(err) {
    this.#error = err;
    this.#destroyStreams();
    this.#end();
  }

  #destroyStreams() {
    this.#child.stdout?.destroy();
    this.#child.stderr?.destroy();
  }

  #end(code, signal) {
    if (this.#isOver) return;
    this.#isOver = true;
    const { callback } = this.#call;
    if (callback === null) return;
    const stdout = this.#output.contents('stdout');
    const stderr = this.#output.contents('stderr');
    if (!this.#error && code === 0 && signal === null) callback(null, stdout, stderr);
    else callback(this.#describe(code, signal, stderr), stdout, stderr);
  }

  #describe(code, signal, stderr) {
    const { file, args } = this.#call;
    const cmd = [file, ...args].join(' ');
    const error =
      this.#error ??
      commandFailed(`Command failed: ${cmd}\n${stderr}`, {
        code: code < 0 ? getSystemErrorName(code) : code,
        killed: this.#child.killed || this.#isKilled,
        signal,
      });
    error.cmd = cmd;
    return error;
  }
}

// The form for util.promisify(): returns a promise of { stdout, stderr } that has `child`.
function promisified(original) {
  const form = function (...args) {
    let onDone;
    const promise = new Promise((resolve, reject) => {
      onDone = (err, stdout, stderr) => {
        if (err === null) resolve({ stdout, stderr });
        else reject(Object.assign(err, { stdout, stderr }));
      };
    });
    return Object.assign(promise, { child: original(...args, onDone) });
  };
  return Object.defineProperty(form, 'name', { value: original.name });
}

for (const original of [exec, execFile]) {
  Object.defineProperty(original, promisify.custom, { value: promisified(original) });
}

module.exports = { exec, execFile };
