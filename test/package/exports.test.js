'use strict';

// The package as its users load it.

const fs = require('node:fs');
const path = require('node:path');

const { runFixture } = require('../helpers/child');
const { temporaryFolder } = require('../helpers/socket_path');

test('every subpath can be imported by name from an ES module', async () => {
  const { code, stdout, stderr } = await runFixture('package/imported_names.mjs');
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  for (const [specifier, { imported, required }] of Object.entries(JSON.parse(stdout))) {
    expect([specifier, imported]).toEqual([specifier, required]);
  }
});

describe('issue 9: a binding that cannot be loaded', () => {
  async function load(args, env) {
    const { code, stdout, stderr } = await runFixture('package/load_binding.js', args, { env });
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    return JSON.parse(stdout);
  }

  test('is refused under Bun, before it can abort the process', async () => {
    const error = await load(['bun']);
    expect(error.code).toBe('ERR_PIPEWRIGHT_UNSUPPORTED_RUNTIME');
    expect(error.message).toMatch(/^pipewright needs Node\.js: Bun 1\.0\.0 has no libuv/);
  });

  test('says what to do where there is no binary', async () => {
    const error = await load([], { PIPEWRIGHT_PREBUILD: temporaryFolder() });
    expect(error.code).toBe('ERR_PIPEWRIGHT_NO_BINARY');
    expect(error.message).toMatch(/^pipewright has no binary for linux .*npm rebuild pipewright/);
    expect(error.cause).toMatch(/^No native build was found/);
  });

  test('says what to do where the binary is of another machine', async () => {
    const folder = temporaryFolder();
    const prebuilds = path.join(folder, 'prebuilds', `linux-${process.arch}`);
    fs.mkdirSync(prebuilds, { recursive: true });
    fs.writeFileSync(path.join(prebuilds, 'node.napi.node'), 'of another machine');
    const error = await load([], { PIPEWRIGHT_PREBUILD: folder });
    expect(error.code).toBe('ERR_PIPEWRIGHT_NO_BINARY');
    expect(error.message).toMatch(/^pipewright's binary cannot be loaded .*npm rebuild pipewright/);
    expect(error.cause).toContain('node.napi.node');
  });
});
