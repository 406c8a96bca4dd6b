'use strict';

// Loaded with --require (through NODE_OPTIONS) into every process of a test.
//
// It makes `require('net')` and friends resolve to the package under test, for
// files of the test suite only (the test, its fixtures, the shared helpers,
// scripts it writes into its temporary folder, and -e/stdin scripts). The
// package itself, whatever it depends on, and Node's internals keep Node's own
// modules.
//
// NODE_OPTIONS rather than a command line flag, so that process.execArgv, which
// several tests look at and which fork() hands down, stays as it is.

const Module = require('node:module');
const path = require('node:path');
const { appendFileSync } = require('node:fs');
const { fileURLToPath, pathToFileURL } = require('node:url');

const SCHEME = 'conformance-hook:';

// { modules: { net: '/abs/file', ... }, packageRoot, roots: [...], helpers, trace }
const config = readConfig();

function readConfig() {
  try {
    return JSON.parse(process.env.CONFORMANCE_HOOK || 'null');
  } catch {
    return null;
  }
}

const originalLoad = Module._load;

// A request as written in the test -> the name of the module it means.
const byRequest = new Map();
for (const name of Object.keys(config?.modules ?? {})) {
  byRequest.set(name, name);
  byRequest.set(`node:${name}`, name);
}

if (byRequest.size > 0) {
  Module._load = function (request, parent) {
    const name = byRequest.get(request);
    if (name !== undefined && replacesFor(parent?.filename)) {
      trace(name, parent?.filename);
      return load(name);
    }
    return Reflect.apply(originalLoad, this, arguments);
  };

  // `import` does not go through Module._load. The hooks for it are installed
  // only when the program is an ES module, to leave all others alone.
  if (process.argv[1]?.endsWith('.mjs') || process.execArgv.includes('--input-type=module')) {
    installImportHooks();
  }
}

/** The replacement for the builtin `name`. When it throws, it throws each time. */
function load(name) {
  return require(config.modules[name]);
}

function inside(file, root) {
  return file === root || file.startsWith(root.endsWith(path.sep) ? root : root + path.sep);
}

/** A program given with -e or on stdin: its module is called e.g. CWD/[eval]. */
function fileless(file) {
  return !file || !path.isAbsolute(file) || /^\[.*\]$/.test(path.basename(file));
}

/** Whether code in `file` gets the replacement. */
function replacesFor(file) {
  if (fileless(file)) return true;
  if (inside(file, config.packageRoot)) return false;
  return config.roots.some((root) => inside(file, root));
}

/** Notes, once per process and kind of place, that a replacement was asked for. */
function trace(name, file) {
  if (!config.trace) return;
  const from = fileless(file) ? 'eval' : inside(file, config.helpers) ? 'helper' : 'test';
  const key = `${name} ${from}`;
  trace.seen ??= new Set();
  if (trace.seen.has(key)) return;
  trace.seen.add(key);
  try {
    appendFileSync(config.trace, `${process.pid} ${key}\n`);
  } catch {
    // The trace is a convenience: it must never change the outcome of a test.
  }
}

/** For the ES modules below: the replacement, asked for by an import. */
function imported(name) {
  trace(name, path.join(config.roots[0], 'import'));
  return load(name);
}

/** An ES module that exports the replacement, under the names stock has. */
function importSource(name, keys) {
  const names = keys.filter((key) => /^[A-Za-z_$][\w$]*$/.test(key) && key !== 'default');
  return [
    "import { createRequire } from 'node:module';",
    `const require = createRequire(${JSON.stringify(pathToFileURL(__filename).href)});`,
    `const replacement = require(${JSON.stringify(__filename)}).imported(${JSON.stringify(name)});`,
    'export default replacement;',
    ...names.map((key, i) => `const v${i} = replacement.${key}; export { v${i} as ${key} };`),
  ].join('\n');
}

function fileOfURL(url) {
  try {
    return fileURLToPath(url);
  } catch {
    return undefined; // not a file: URL
  }
}

function installImportHooks() {
  const sources = {};
  for (const name of Object.keys(config.modules)) {
    const stock = Reflect.apply(originalLoad, Module, [name, module, false]);
    sources[name] = importSource(name, Object.keys(stock));
  }
  if (typeof Module.registerHooks === 'function') {
    Module.registerHooks({
      resolve(specifier, context, nextResolve) {
        const name = byRequest.get(specifier);
        if (
          name !== undefined &&
          !context.conditions?.includes('require') &&
          replacesFor(fileOfURL(context.parentURL))
        ) {
          return { url: SCHEME + name, format: 'module', shortCircuit: true };
        }
        return nextResolve(specifier, context);
      },
      load(url, context, nextLoad) {
        if (!url.startsWith(SCHEME)) return nextLoad(url, context);
        return { format: 'module', source: sources[url.slice(SCHEME.length)], shortCircuit: true };
      },
    });
  } else if (typeof Module.register === 'function') {
    Module.register('./import_hooks.mjs', {
      parentURL: pathToFileURL(__filename).href,
      data: {
        scheme: SCHEME,
        requests: [...byRequest],
        sources,
        packageRoot: config.packageRoot,
        roots: config.roots,
      },
    });
  }
}

module.exports = { load, imported };
