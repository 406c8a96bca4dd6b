'use strict';

// Lists of tests, and what the head of a test file asks for.

const fs = require('node:fs');
const path = require('node:path');

/** @returns {{ test: string, lists: string[] }[]} each test once, however many lists have it */
function readLists(files) {
  const listsOf = new Map();
  for (const file of files) {
    const list = path.basename(file, '.txt');
    for (const test of readList(file)) listsOf.set(test, [...(listsOf.get(test) ?? []), list]);
  }
  return [...listsOf].map(([test, lists]) => ({ test, lists }));
}

/** One test a line, as `parallel/test-x.js`; what follows white space or a # is a remark. */
function readList(file) {
  const lines = fs.readFileSync(file, 'utf8').split('\n');
  return lines.map((line) => line.replace(/#.*$/, '').trim().split(/\s+/)[0]).filter(Boolean);
}

/** `// Flags: --a --b` and `// Env: A=1` in the first 1500 bytes, as far as Node's own runner looks. */
function readMetadata(file) {
  const head = fs.readFileSync(file, 'latin1').slice(0, 1500);
  const words = (pattern) => pattern.exec(head)?.[1].trim().split(/\s+/) ?? [];
  return {
    flags: words(/\/\/ Flags:\s+(--[^\r\n]*)/),
    env: Object.fromEntries(words(/\/\/ Env:\s+([^\r\n]*)/).map((pair) => `${pair}=`.split(/=(.*?)=?$/s, 2))),
  };
}

module.exports = { readLists, readMetadata };
