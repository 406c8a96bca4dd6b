'use strict';

// src/README.md is true: its trees have a line for each file, and the functions on the
// path of one byte exist.

const fs = require('node:fs');
const path = require('node:path');
const { filesBelow } = require('../helpers/files_below');

const ROOT = path.join(__dirname, '../..');
const README = fs.readFileSync(path.join(ROOT, 'src/README.md'), 'utf8');

function section(title) {
  const [, rest] = README.split(`\n## ${title}\n`);
  return rest.split('\n## ')[0];
}

const namesIn = (title) => [...section(title).matchAll(/^ {4}(\S+)/gm)].map(([, name]) => name).sort();

const sourcesBelow = (folder) => filesBelow(path.join(ROOT, folder)).filter((file) => file !== 'README.md');

test('src/ has a line for each pair of files, and each single one', () => {
  const files = sourcesBelow('src');
  const isPair = (stem) => files.includes(`${stem}.h`) && files.includes(`${stem}.cc`);
  const stems = files.map((file) => (isPair(file.replace(/\.\w+$/, '')) ? file.replace(/\.\w+$/, '') : file));
  expect(namesIn('src/')).toEqual([...new Set(stems)].sort());
});

test('lib/ has a line for each file', () => {
  expect(namesIn('lib/')).toEqual(sourcesBelow('lib'));
});

test('every function that is named exists', () => {
  const sources = ['src', 'lib'].flatMap((folder) =>
    sourcesBelow(folder).map((file) => fs.readFileSync(path.join(ROOT, folder, file), 'utf8')),
  );
  const all = sources.join('\n');
  const named = [...README.matchAll(/`(?:(\w+)::)?(\w+)\(\)`/g)].map(([, , name]) => name);
  const foreign = ['uv_close', 'uv_listen', 'uv_write'];
  const missing = [...new Set(named)].filter((name) => !foreign.includes(name) && !all.includes(`${name}(`));
  expect(missing).toEqual([]);
});
