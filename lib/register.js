'use strict';

// If it is preloaded (node -r pipewright/register app.js), replaces Node's own modules by
// pipewright, for a program and all its packages. PIPEWRIGHT_REGISTER names the modules:
// child_process (the default), net, or both, separated by a comma.
//
// The functions of node:child_process are replaced in the module itself, so that Node's
// own modules use pipewright's too. node:net must stay as it is, because http and tls make
// their sockets with it. So `require` and `import` of net give the program pipewright/net,
// and Node's modules keep node:net.
//
// Worker threads run preloaded modules themselves.

const builtin = require('node:child_process');
const path = require('node:path');
const { pathToFileURL } = require('node:url');

const { unknownModule } = require('./base/errors.js');

/** @type {any} `_load` is undocumented, and `registerHooks` newer than the declarations. */
const Module = require('node:module');

const ADDED = new Set(['parent', 'run']); // Names that node:child_process does not have.
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

// A Node without module.registerHooks() needs two hooks: one for require(), and one for
// import, which runs in its own thread.
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
