'use strict';

// `npm install` runs this. A prebuilt binary in the package wins; otherwise the
// addon is compiled, with Node's headers from beside the running executable when
// they are there (so that no download is needed), else as node-gyp finds them.

const { spawnSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');

const prefix = path.resolve(fs.realpathSync(process.execPath), '../..');
const env = { ...process.env };
if (fs.existsSync(path.join(prefix, 'include/node/node_api.h'))) {
  env.npm_config_nodedir ??= prefix;
}
const { status } = spawnSync(process.execPath, [require.resolve('node-gyp-build/bin.js'), ...process.argv.slice(2)], {
  cwd: path.join(__dirname, '..'),
  env,
  stdio: 'inherit',
});
process.exitCode = status ?? 1;
