'use strict';

// The JavaScript columns of bench/spawn: spawn.js MODULE ENGINE KIND MEGABYTES COUNT. MODULE is loaded for its
// child_process interface; ENGINE is passed on as an option, or '-'.

const [, , module_, engine, kind, megabytes, count] = process.argv;
const { exec, spawn, spawnSync } = require(module_);

const BURST = 200;
const MEGABYTE = 1 << 20;
const OUTPUT_BYTES = 1_000_000;

const options = engine === '-' ? {} : { engine };
const quiet = { stdio: 'ignore', ...options };

const now = () => Number(process.hrtime.bigint()) / 1000;

function ended(child) {
  return new Promise((resolve, reject) => child.once('exit', resolve).once('error', reject));
}

// Each resolves with the time the loop was blocked.
const works = {
  async spawn() {
    const began = now();
    const child = spawn('/bin/true', [], quiet);
    const blocked = now() - began;
    await ended(child);
    return blocked;
  },

  async spawnSync() {
    const began = now();
    const { status } = spawnSync('/bin/true', [], options);
    if (status !== 0) throw new Error(`status ${status}`);
    return now() - began;
  },

  exec() {
    return new Promise((resolve, reject) => {
      const began = now();
      let blocked = 0;
      exec(`head -c ${OUTPUT_BYTES} /dev/zero`, options, (err, stdout) => {
        if (err || stdout.length !== OUTPUT_BYTES) reject(err ?? new Error(`${stdout.length} bytes`));
        else resolve(blocked);
      });
      blocked = now() - began;
    });
  },

  async burst() {
    const began = now();
    const children = Array.from({ length: BURST }, () => spawn('/bin/true', [], quiet));
    const blocked = now() - began;
    await Promise.all(children.map(ended));
    return blocked;
  },
};

function touchMemory() {
  // On the global object, lest it be collected.
  globalThis.memory = [];
  for (let left = Number(megabytes); left > 0; left -= 64) {
    globalThis.memory.push(Buffer.alloc(Math.min(left, 64) * MEGABYTE, 1));
  }
}

function median(values) {
  return values.sort((a, b) => a - b)[values.length >> 1];
}

async function main() {
  touchMemory();
  const samples = { blocked: [], ended: [] };
  for (let i = 0; i < Number(count); i++) {
    const began = now();
    samples.blocked.push(await works[kind]());
    samples.ended.push(now() - began);
  }
  console.log(JSON.stringify({ blocked: median(samples.blocked), ended: median(samples.ended) }));
}

main();
