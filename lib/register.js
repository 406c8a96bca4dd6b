'use strict';

// Preloaded (node -r pipewright/register app.js), puts pipewright in place of Node's own
// modules, for a program and all its packages. PIPEWRIGHT_REGISTER says which:
// child_process (the default), net, or both with a comma between.
//
// node:child_process is replaced in place: whoever has it, Node's own modules too, finds
// pipewright's functions in it. node:net cannot be, because http and tls make their
// sockets with it: `require` and `import` of the program are answered with
// pipewright/net, and Node's modules keep theirs.
//
// Worker threads run preloaded modules themselves.

const builtin = require('node:child_process');
const path = require('node:path');
const { pathToFileURL } = require('node:url');

const { unknownModule } = require('./base/errors.js');

/** @type {any} `_load` is undocumented, and `registerHooks` newer than the declarations. */
const Module = require('node:module');

const ADDED = new Set(['parent', 'run']); // Names that node:child_process has not.
const OWN_FOLDER = __dirname + path.sep;
const NET_FILE = path.join(__dirname, 'net/index.js');

const REPLACEMENTS = { child_process: replaceChildProcess, net: redirectNet };

function register(names) {
  for (const name of names) {
    if (REPLACEMENTS[name] === undefined) throw unknownModule(name, Object.keys(REPLACEMENTS));
    REPLACEMENTS[name]();
  }
}

function replaceChildProcess() {
  for (const [name, value] of Object.entries(require('./child_process/index.js'))) {
    if (!ADDED.has(name)) builtin[name] = value;
  }
  Module.syncBuiltinESMExports();
}

function redirectNet() {
  require('./net/index.js');
  if (typeof Module.registerHooks === 'function') {
    Module.registerHooks({ resolve: resolveNet });
    return;
  }
  redirectRequire();
  redirectImport();
}

const isNet = (specifier) => specifier === 'net' || specifier === 'node:net';

function resolveNet(specifier, context, next) {
  if (!isNet(specifier) || isOwn(context.parentURL)) return next(specifier, context);
  return { url: pathToFileURL(NET_FILE).href, format: 'commonjs', shortCircuit: true };
}

function isOwn(url) {
  return url !== undefined && url.startsWith(pathToFileURL(OWN_FOLDER).href);
}

// Before module.registerHooks(): one hook for require(), and one, which runs in a thread
// of its own, for import.
function redirectRequire() {
  const load = Module._load;
  Module._load = function (request, parent, ...rest) {
    const isRedirected = isNet(request) && !parent?.filename?.startsWith(OWN_FOLDER);
    return Reflect.apply(load, this, [isRedirected ? NET_FILE : request, parent, ...rest]);
  };
}

function redirectImport() {
  const hooks = `
    export async function resolve(specifier, context, next) {
      const isNet = specifier === 'net' || specifier === 'node:net';
      if (!isNet || context.parentURL?.startsWith(${JSON.stringify(pathToFileURL(OWN_FOLDER).href)})) {
        return next(specifier, context);
      }
      return { url: ${JSON.stringify(pathToFileURL(NET_FILE).href)}, format: 'commonjs', shortCircuit: true };
    }`;
  Module.register(`data:text/javascript,${encodeURIComponent(hooks)}`);
}

register((process.env.PIPEWRIGHT_REGISTER || 'child_process').split(',').map((name) => name.trim()));
