'use strict';

// execFile() and exec(): a child whose output is gathered and handed to a callback.

const { clearTimeout, setTimeout } = require('node:timers');
const { getSystemErrorName, promisify } = require('node:util');

const { commandFailed, maxBufferExceeded } = require('../base/errors.js');
const { Collector } = require('./output.js');
const { normalizeExec, normalizeExecFile } = require('./options.js');
const { spawn } = require('./spawn.js');

/**
 * Runs a program; the callback gets (error, stdout, stderr) once it and its streams
 * have ended.
 *
 * @returns {import('./child.js').ChildProcess}
 */
function execFile(file, args, options, callback) {
  const call = normalizeExecFile(file, args, options, callback);
  const child = spawn(call.file, call.args, call.spawn);
  new Execution(child, call);
  return child;
}

/**
 * Runs a command line in a shell, otherwise as execFile().
 *
 * @returns {import('./child.js').ChildProcess}
 */
function exec(command, options, callback) {
  const call = normalizeExec(command, options, callback);
  return execFile(call.file, call.options, call.callback);
}

// One run: gathers the output and, at the end, makes what the callback gets.
class Execution {
  #child;
  #call;
  #output = {};
  #error = null;
  #isKilled = false;
  #isOver = false;
  #timer = null;

  constructor(child, call) {
    this.#child = child;
    this.#call = call;
    if (call.timeout > 0) this.#timer = setTimeout(() => this.#kill(), call.timeout);
    this.#collect('stdout');
    this.#collect('stderr');
    child.on('close', (code, signal) => this.#end(code, signal));
    child.on('error', (err) => this.#fail(err));
  }

  #collect(name) {
    const stream = this.#child[name];
    if (!stream) return;
    const { encoding, maxBuffer } = this.#call;
    const onOverflow = () => {
      this.#error = maxBufferExceeded(name);
      this.#kill();
    };
    this.#output[name] = new Collector(stream, { encoding, maxBuffer, onOverflow });
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
    clearTimeout(this.#timer);
    const { callback } = this.#call;
    if (callback === null) return;
    const stdout = this.#contents('stdout');
    const stderr = this.#contents('stderr');
    if (!this.#error && code === 0 && signal === null) callback(null, stdout, stderr);
    else callback(this.#describe(code, signal, stderr), stdout, stderr);
  }

  #contents(name) {
    return this.#output[name]?.contents() ?? (this.#call.encoding ? '' : Buffer.alloc(0));
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

// What util.promisify() makes of them: a promise of { stdout, stderr }, with `child`.
function promisified(original) {
  const form = function (...args) {
    let settle;
    const promise = new Promise((resolve, reject) => {
      settle = (err, stdout, stderr) => {
        if (err === null) resolve({ stdout, stderr });
        else reject(Object.assign(err, { stdout, stderr }));
      };
    });
    return Object.assign(promise, { child: original(...args, settle) });
  };
  return Object.defineProperty(form, 'name', { value: original.name });
}

for (const original of [exec, execFile]) {
  Object.defineProperty(original, promisify.custom, { value: promisified(original) });
}

module.exports = { exec, execFile };
