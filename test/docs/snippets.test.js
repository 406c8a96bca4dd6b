'use strict';

// Every JavaScript example of the documents runs, as it stands there, until it ends or
// for a while, and has nothing to complain about.

const { spawn } = require('node:child_process');
const { once } = require('node:events');
const fs = require('node:fs');
const path = require('node:path');
const { text } = require('node:stream/consumers');
const { closing } = require('../helpers/closing');
const { temporaryFolder } = require('../helpers/socket_path');

const ROOT = path.join(__dirname, '../..');
const LIMIT_MS = 600;

// Those whose examples are whole programs; add yours.
const DOCUMENTS = ['README.md', 'docs/binding.md', 'docs/channel.md', 'docs/net.md', 'docs/systemd.md'];

function snippetsOf(document) {
  const source = fs.readFileSync(path.join(ROOT, document), 'utf8');
  return [...source.matchAll(/^```js\n(.*?)^```$/gms)].map(({ 1: code, index }) => {
    const line = source.slice(0, index).split('\n').length;
    return [`${document}:${line}`, code];
  });
}

test.each(DOCUMENTS.flatMap(snippetsOf))('%s', async (_, code) => {
  const folder = temporaryFolder();
  fs.mkdirSync(path.join(folder, 'node_modules'));
  fs.symlinkSync(ROOT, path.join(folder, 'node_modules/pipewright'));
  const file = path.join(folder, /^import /m.test(code) ? 'snippet.mjs' : 'snippet.js');
  fs.writeFileSync(file, code);
  const child = closing(spawn(process.execPath, [file], { cwd: folder, stdio: ['ignore', 'ignore', 'pipe'] }));
  const timer = setTimeout(() => child.kill('SIGKILL'), LIMIT_MS);
  const [complaint, [status]] = await Promise.all([text(child.stderr), once(child, 'exit')]);
  clearTimeout(timer);
  expect({ complaint, status: status ?? 0 }).toEqual({ complaint: '', status: 0 });
});
