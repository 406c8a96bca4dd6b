'use strict';

// run(): returns a promise of a child's output and how it ended, which can also be iterated
// line by line.

const { performance } = require('node:perf_hooks');

const { maxBufferExceeded, runFailed } = require('../base/errors.js');
const { atTimeout } = require('./deadline.js');
const { normalizeRun } = require('./options.js');
const { Output } = require('./output.js');
const { start } = require('./spawn.js');

const LAST_LINES = 10; // How many lines of stderr the message of a rejection shows.

/**
 * Runs a program to its end.
 *
 * @returns {Promise<{ stdout: string | Buffer, stderr: string | Buffer, exitCode: number | null,
 *   signal: string | null, durationMs: number, resourceUsage: object | null }> &
 *   AsyncIterable<string> & { child: import('./child.js').ChildProcess }}
 *   rejects (unless `reject: false`) if the program did not end with exit code 0. Iterating
 *   over it gives the lines of stdout as they come; `stdout` is empty then.
 */
function run(file, args, options) {
  const call = normalizeRun(file, args, options);
  const running = new Run(call);
  return Object.assign(running.result, {
    child: running.child,
    [Symbol.asyncIterator]: () => running.lines(),
  });
}

class Run {
  #call;
  #started = performance.now();
  #output;
  #cause = null;
  #isTimedOut = false;
  #durationMs = 0;

  constructor(call) {
    this.#call = call;
    this.child = start(call.start);
    this.result = this.#awaitEnd();
    this.#output = new Output(this.child, call, (name) => {
      this.#cause ??= maxBufferExceeded(name);
      this.child[name].destroy();
      this.child.kill(call.killSignal);
    });
    this.#feed(call.input);
    atTimeout(this.child, call.timeout, 'close', () => {
      this.#isTimedOut = true;
      this.child.kill(call.killSignal);
    });
  }

  #feed(input) {
    const { stdin } = this.child;
    if (!stdin || input === null) return;
    stdin.on('error', () => {}); // The child may end before it has read everything.
    stdin.end(input);
  }

  #awaitEnd() {
    const { child } = this;
    return new Promise((resolve, reject) => {
      child.on('error', (err) => {
        this.#cause ??= err;
        if (child.pid === undefined) this.#end(resolve, reject); // No child was made, so 'exit' never comes.
      });
      child.once('exit', () => {
        this.#durationMs = performance.now() - this.#started;
      });
      child.once('close', () => this.#end(resolve, reject));
    });
  }

  #end(resolve, reject) {
    const result = {
      stdout: this.#output.contents('stdout'),
      stderr: this.#output.contents('stderr'),
      exitCode: this.child.pid === undefined ? null : this.child.exitCode,
      signal: this.child.signalCode,
      durationMs: this.#durationMs || performance.now() - this.#started,
      resourceUsage: this.child.resourceUsage,
    };
    const isGood = result.exitCode === 0 && this.#cause === null && !this.#isTimedOut;
    if (isGood || (!this.#call.reject && this.#cause === null)) resolve(result);
    else reject(this.#failure(result));
  }

  #failure(result) {
    const { file, args } = this.#call;
    const command = [file, ...args].map(quote).join(' ');
    const message = [`${command} ${this.#howItEnded(result)}.`, ...lastLines(String(result.stderr))].join('\n');
    return runFailed(message, this.#cause, {
      ...result,
      file,
      args: [...args],
      timedOut: this.#isTimedOut,
      ...(this.#cause?.step && { step: this.#cause.step }),
    });
  }

  #howItEnded({ exitCode, signal, durationMs }) {
    const cause = this.#cause;
    if (this.child.pid === undefined) return `could not be started: ${cause.message}`;
    const why = this.#isTimedOut ? ` at its timeout of ${this.#call.timeout} ms` : cause ? ` (${cause.message})` : '';
    const how = signal ? `was ended by ${signal}` : `ended with exit code ${exitCode}`;
    return `${how}${why}, after ${Math.round(durationMs)} ms`;
  }

  // Yields the lines of stdout, without line ends. Leaving the loop ends the child.
  async *lines() {
    this.result.catch(() => {}); // The end of the loop reports it.
    const stream = this.child.stdout;
    let isDone = false;
    try {
      if (stream) yield* splitLines(this.#chunks(stream));
      isDone = true;
    } finally {
      if (!isDone) this.child.kill(this.#call.killSignal);
    }
    await this.result;
  }

  // Yields the output gathered so far, then each new chunk, which is no longer gathered.
  async *#chunks(stream) {
    yield String(this.#output.releaseStdout());
    if (stream.readableEnded || stream.destroyed) return;
    stream.setEncoding(this.#call.encoding ?? 'utf8');
    yield* stream;
  }
}

async function* splitLines(chunks) {
  let rest = '';
  for await (const chunk of chunks) {
    const lines = (rest + chunk).split('\n');
    rest = lines.pop();
    for (const line of lines) yield withoutReturn(line);
  }
  if (rest !== '') yield rest;
}

function withoutReturn(line) {
  return line.endsWith('\r') ? line.slice(0, -1) : line;
}

function lastLines(stderr) {
  const lines = stderr.trimEnd().split('\n');
  if (lines.join('') === '') return [];
  const shown = lines.slice(-LAST_LINES).map((line) => `  ${line}`);
  const heading =
    lines.length > LAST_LINES ? `The last ${LAST_LINES} of ${lines.length} lines of its stderr:` : 'Its stderr:';
  return [heading, ...shown];
}

// Quotes a word for a shell, so that the command can be pasted there.
function quote(given) {
  const word = String(given);
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}

module.exports = { run };
