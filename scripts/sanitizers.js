'use strict';

// The addon under AddressSanitizer and UndefinedBehaviorSanitizer, for test_asan.js and
// fuzz.js. By GCC, not clang: its two runtimes come with the compiler that the package
// needs anyway, clang's are a package more. Node is not instrumented, so the runtimes
// are preloaded; everything that is started in such an environment writes what it finds
// to a file, which is looked for at the end.

const { execFileSync, spawnSync } = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');

const ROOT = path.join(__dirname, '..');
// Beside build/Release, which stays as it is. node-gyp builds where binding.gyp is.
const FOLDER = path.join(ROOT, 'build/sanitized');
const LINKS = { 'binding.gyp': '../../binding.gyp', src: '../../src' };

const FLAGS = '-fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer -g -O1';
const COMPILER = { CC: 'gcc', CXX: 'g++', CFLAGS: FLAGS, CXXFLAGS: FLAGS, LDFLAGS: FLAGS };
const RUNTIMES = ['libasan.so', 'libubsan.so'];

/** Compiles what has changed. */
function build() {
  fs.mkdirSync(FOLDER, { recursive: true });
  for (const [name, target] of Object.entries(LINKS)) {
    fs.rmSync(path.join(FOLDER, name), { force: true });
    fs.symlinkSync(target, path.join(FOLDER, name));
  }
  const env = { ...process.env, ...COMPILER };
  const prefix = path.resolve(fs.realpathSync(process.execPath), '../..');
  if (fs.existsSync(path.join(prefix, 'include/node/node_api.h'))) env.npm_config_nodedir ??= prefix;
  const nodeGyp = require.resolve('node-gyp/bin/node-gyp.js');
  const args = [nodeGyp, 'configure', 'build', '--jobs', 'max', '--loglevel', 'warn'];
  const { status } = spawnSync(process.execPath, args, { cwd: FOLDER, env, stdio: 'inherit' });
  if (status !== 0) throw new Error('The addon could not be built with the sanitizers.');
}

/** Where reports go; other users of the machine, whom some fixtures become, write there too. */
function makeReportsFolder() {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'pipewright-sanitizers-'));
  fs.chmodSync(folder, 0o1777);
  process.on('exit', () => fs.rmSync(folder, { recursive: true, force: true }));
  return folder;
}

// A folder for PATH with a python3 that has no runtime preloaded: it loads no addon, and would take
// seconds to start. What it starts itself has them again, by its sitecustomize.
function makeProgramsFolder() {
  const folder = path.join(FOLDER, 'programs');
  const python = execFileSync('python3', ['-c', 'import sys; print(sys.executable)'], { encoding: 'utf8' }).trim();
  fs.mkdirSync(folder, { recursive: true });
  fs.writeFileSync(
    path.join(folder, 'python3'),
    `#!/bin/sh
export RUNTIMES="$LD_PRELOAD" PYTHONPATH="${folder}"
unset LD_PRELOAD
exec "${python}" "$@"
`,
    { mode: 0o755 },
  );
  fs.writeFileSync(
    path.join(folder, 'sitecustomize.py'),
    'import os\nos.environ["LD_PRELOAD"] = os.environ["RUNTIMES"]\n',
  );
  return folder;
}

/** The environment for node to load that addon. */
function environment(reports) {
  const runtimes = RUNTIMES.map((name) =>
    execFileSync(COMPILER.CXX, [`-print-file-name=${name}`], { encoding: 'utf8' }).trim(),
  );
  return {
    ...process.env,
    PATH: `${makeProgramsFolder()}:${process.env.PATH}`,
    LD_PRELOAD: runtimes.join(':'),
    PIPEWRIGHT_PREBUILD: FOLDER, // Read by node-gyp-build.
    // V8 keeps more at its end than it frees, so leaks of memory are not looked for.
    ASAN_OPTIONS: `detect_leaks=0:log_path=${path.join(reports, 'asan')}`,
    UBSAN_OPTIONS: `print_stacktrace=1:log_path=${path.join(reports, 'ubsan')}`,
  };
}

/** @returns {string[]} the text of each report */
function readReports(folder) {
  return fs.readdirSync(folder).map((name) => `${name}\n${fs.readFileSync(path.join(folder, name), 'utf8')}`);
}

module.exports = { ROOT, build, environment, makeReportsFolder, readReports };
