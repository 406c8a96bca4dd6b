'use strict';

// As much of the child_process interface as bench/spawn needs, straight on the addon: what is left of the cost when
// everything in lib/child_process is taken away.

const { EventEmitter } = require('node:events');
const { closeFd, PipeWrap, ProcessWrap, spawnSync: runSync, stdioSocketPair } = require('../../lib/base/binding.js');

const envPairs = Object.entries(process.env).map(([name, value]) => `${name}=${value}`);

function start(file, args, stdio, { engine }) {
  const child = new EventEmitter();
  const handle = new ProcessWrap();
  handle.onexit = (code, signal) => {
    handle.close();
    child.emit('exit', code, signal);
  };
  const err = handle.spawn({ file, args: [file, ...args], envPairs, engine }, stdio);
  if (err !== 0) throw new Error(`spawn ${file}: ${err}`);
  child.handle = handle;
  return child;
}

function spawn(file, args, options) {
  return start(file, args, [-1, -1, -1], options);
}

function spawnSync(file, args, { engine }) {
  return runSync({ file, args: [file, ...args], envPairs, engine }, [-1, -1, -1], [0, 1, 2]);
}

function exec(command, options, callback) {
  const [ours, theirs] = stdioSocketPair();
  const child = start('/bin/sh', ['-c', command], [-1, theirs, -1], options);
  closeFd(theirs);
  const pipe = new PipeWrap();
  const chunks = [];
  pipe.open(ours);
  pipe.joinGroup(child.handle);
  pipe.onread = (nread, chunk) => (nread < 0 ? pipe.close() : chunks.push(chunk));
  pipe.readStart();
  child.once('exit', () => callback(null, Buffer.concat(chunks).toString()));
}

module.exports = { exec, spawn, spawnSync };
