'use strict';

// The command `pipewright`, started as npx does.

const { spawn } = require('node:child_process');
const { once } = require('node:events');
const path = require('node:path');
const { bin } = require('../../package.json');
const { closing } = require('./closing');

const ROOT = path.join(__dirname, '../..');
const COMMAND = path.join(ROOT, bin.pipewright);

/**
 * Starts the command. `output` of the child is what it has written so far; `said(text)` resolves
 * once that has `text`, in all with what has been written.
 */
function startCommand(args, options = {}) {
  const child = spawn(process.execPath, [COMMAND, ...args.map(String)], { stdio: 'pipe', ...options });
  closing(() => stop(child));
  child.output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (chunk) => {
      child.output += chunk;
      child.emit('said');
    });
  }
  const ended = once(child, 'close');
  child.said = async (text) => {
    while (!child.output.includes(text)) {
      const result = await Promise.race([once(child, 'said'), ended]);
      if (result.length > 0 && !child.output.includes(text)) throw new Error(`It did not say ${text}: ${child.output}`);
    }
    return child.output;
  };
  child.ended = ended.then(([code, signal]) => ({ code, signal, output: child.output }));
  return child;
}

// In order, so that no worker outlives the test.
async function stop(child) {
  child.kill('SIGTERM');
  await child.ended;
}

/** Runs the command to its end. @returns {Promise<{ code: number, signal: string, output: string }>} */
const runCommand = (args, options) => startCommand(args, options).ended;

module.exports = { COMMAND, runCommand, startCommand };
