'use strict';

// What the chapters of the tour have in common: a temporary folder, and programs that
// run beside them and speak by lines.

const { spawn } = require('node:child_process');
const { once } = require('node:events');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const readline = require('node:readline');

/** Calls `use(folder)` with a new folder, which is gone afterwards. */
async function inTemporaryFolder(use) {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'pipewright-tour-'));
  try {
    return await use(folder);
  } finally {
    fs.rmSync(folder, { recursive: true, force: true });
  }
}

/**
 * Starts examples/tour/programs/NAME in another process. `line()` gives the next line
 * that it prints, and throws if it ends before; `exited` is a promise of [code, signal].
 */
function startProgram(name, ...args) {
  const child = spawn(process.execPath, [path.join(__dirname, 'programs', name), ...args.map(String)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  process.once('exit', () => child.kill('SIGKILL')); // Should the tour fail.
  const lines = readline.createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  return {
    child,
    exited: once(child, 'exit'),
    async line() {
      const { value, done } = await lines.next();
      if (done) throw new Error(`${name} ended before it said what was waited for`);
      return value;
    },
  };
}

/** The mode of a file as ls(1) and chmod(1) would have it: 'srw-rw---- 0660'. */
function describeMode(file) {
  const { mode } = fs.lstatSync(file);
  const type = { [fs.constants.S_IFSOCK]: 's', [fs.constants.S_IFREG]: '-' }[mode & fs.constants.S_IFMT] ?? '?';
  const bits = [...'rwxrwxrwx'].map((letter, i) => (mode & (0o400 >> i) ? letter : '-')).join('');
  return `${type}${bits} 0${(mode & 0o777).toString(8)}`;
}

module.exports = { describeMode, inTemporaryFolder, startProgram };
