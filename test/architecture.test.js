'use strict';

// The rules of the house that a machine can see, over the whole of lib/ and src/.
// Each rule is also given a bad sample, so that a rule that no longer finds
// anything is noticed.

const fs = require('node:fs');
const path = require('node:path');
const { filesBelow } = require('./helpers/files_below');
const rules = require('./helpers/source_rules');

const ROOT = path.join(__dirname, '..');

// The rooms of lib/, highest first. Imports only go down.
const LAYERS = [
  ['cli'],
  ['index', 'register'],
  ['cluster'],
  ['child_process', 'systemd'],
  ['channel'],
  ['descriptors', 'dgram'],
  ['net'],
  ['fd'],
  ['signals'],
  ['base'],
];

// The one import that goes up; the head of lib/fd/descriptor.js gives the reason.
const GOES_UP = ['lib/fd/descriptor.js -> lib/net/conversions.js'];

// The rooms of src/, highest first. Includes only go down; addon.cc is above them all.
const SOURCE_LAYERS = [['addon'], ['cluster'], ['child_process'], ['descriptors'], ['net'], ['core']];

// Files that turn what a caller gave into checked objects, and indexes, which only
// re-export: neither has a native object in its hands.
const KNOWS_NO_NATIVE_OBJECT = /(^|\/)(index|register|options|attributes|paths|env|symbols|errors|validate)\.js$/;

/** @returns {{ file: string, text: string }[]} all files below `folder` with such a name */
function sourcesIn(folder, pattern) {
  return filesBelow(path.join(ROOT, folder))
    .filter((file) => pattern.test(path.basename(file)))
    .map((file) => path.join(folder, file))
    .map((file) => ({ file, text: fs.readFileSync(path.join(ROOT, file), 'utf8') }));
}

const lib = sourcesIn('lib', /\.js$/);
const src = sourcesIn('src', /\.(cc|h)$/);
const tests = sourcesIn('test', /\.(js|mjs)$/);
const fixtures = sourcesIn('test/fixtures', /./);

const sample = (file, text) => [{ file, text }];

describe('import direction', () => {
  test('imports in lib/ only go down', () => {
    expect(rules.importsThatGoUp(lib, LAYERS, GOES_UP)).toEqual([]);
  });

  test.each([
    ['lib/net/socket.js', "require('../cluster');"],
    ['lib/net/socket.js', "require('../dgram/index.js');"],
    ['lib/dgram/index.js', "require('../descriptors');"],
    ['lib/base/errors.js', "const { Socket } = require('../net/socket');"],
    ['lib/unheard_of.js', ''],
  ])('finds %s with %s', (file, text) => {
    expect(rules.importsThatGoUp(sample(file, text), LAYERS)).toHaveLength(1);
  });

  test.each([
    ['lib/net/socket.js', "require('./options'); require('../base/errors'); require('node:net');"],
    ['lib/child_process/ipc/target.js', "require('../stdio'); require('../../net/socket');"],
  ])('lets %s pass with %s', (file, text) => {
    expect(rules.importsThatGoUp(sample(file, text), LAYERS)).toEqual([]);
  });

  test('the listed exceptions are needed, and let nothing else pass', () => {
    expect(rules.importsThatGoUp(lib, LAYERS)).toHaveLength(GOES_UP.length);
    const other = sample('lib/fd/descriptor.js', "require('../net/socket.js');");
    expect(rules.importsThatGoUp(other, LAYERS, GOES_UP)).toHaveLength(1);
  });

  test('no two files in lib/ import each other', () => {
    expect(rules.importCircles(lib, GOES_UP)).toEqual([]);
  });

  test('finds a circle', () => {
    const circle = [
      { file: 'lib/net/index.js', text: "require('./server');" },
      { file: 'lib/net/server.js', text: "require('./socket.js');" },
      { file: 'lib/net/socket.js', text: "require('.');" },
    ];
    expect(rules.importCircles(circle)).toEqual([
      'lib/net/index.js -> lib/net/server.js -> lib/net/socket.js -> lib/net/index.js',
    ]);
  });
});

describe('classes', () => {
  test('are changed by their own file only', () => {
    expect(rules.patchedImports(lib)).toEqual([]);
  });

  test.each([
    'Descriptor.prototype.toSocket = f;',
    'Object.defineProperty(Descriptor.prototype, "toSocket", { value: f });',
    'Object.assign(Descriptor.prototype, { toSocket: f });',
  ])('finds %s', (line) => {
    const text = `const { Descriptor } = require('../fd/descriptor.js');\n${line}`;
    expect(rules.patchedImports(sample('lib/net/a.js', text))).toHaveLength(1);
  });
});

describe('errors', () => {
  test('are made in lib/base/errors.js only', () => {
    expect(rules.errorsMadeElsewhere(lib)).toEqual([]);
  });

  test.each(['throw new Error("x");', 'f(TypeError());', 'const f = () => new RangeError();'])('finds %s', (text) => {
    expect(rules.errorsMadeElsewhere(sample('lib/net/server.js', text))).toHaveLength(1);
  });

  test('words in comments and strings are no errors', () => {
    expect(rules.errorsMadeElsewhere(sample('lib/a.js', '// new Error()\n"new Error()";'))).toEqual([]);
  });
});

describe('the binding', () => {
  test('is out of sight where arguments are checked, and of indexes', () => {
    expect(rules.uninvitedImportsOfBinding(lib, KNOWS_NO_NATIVE_OBJECT)).toEqual([]);
  });

  test.each([
    ['lib/net/options.js', "require('../base/binding')"],
    ['lib/index.js', "require('./base/binding.js')"],
  ])('finds %s with %s', (file, text) => {
    expect(rules.uninvitedImportsOfBinding(sample(file, text), KNOWS_NO_NATIVE_OBJECT)).toHaveLength(1);
  });

  test('is loaded by lib/base/binding.js alone', () => {
    const loads = lib.filter(({ text }) => /require\('node-gyp-build'\)|pipewright\.node/.test(text));
    expect(loads.map(({ file }) => file)).toEqual(['lib/base/binding.js']);
  });
});

describe('src/', () => {
  test('includes only go down', () => {
    expect(rules.includesThatGoUp(src, SOURCE_LAYERS)).toEqual([]);
  });

  test.each([
    ['src/core/environment.cc', '#include "net/listener.h"\n'],
    ['src/net/listener.cc', '#include "descriptors/ancillary.h"\n'],
    ['src/unheard_of/a.cc', ''],
  ])('finds %s with %s', (file, text) => {
    expect(rules.includesThatGoUp(sample(file, text), SOURCE_LAYERS)).toHaveLength(1);
  });
});

describe('instanceof', () => {
  test('is not used to check arguments', () => {
    expect(rules.instanceofChecks(lib)).toEqual([]);
  });

  test('is found', () => {
    expect(rules.instanceofChecks(sample('lib/a.js', 'if (x instanceof Uint8Array) f();'))).toHaveLength(1);
  });

  test('is allowed in a constructor that may be called without new', () => {
    const text = 'function Server() { if (!(this instanceof Server)) return new Server(); }';
    expect(rules.instanceofChecks(sample('lib/a.js', text))).toEqual([]);
  });
});

describe('each file', () => {
  test('begins with a comment that says what it owns', () => {
    expect(rules.filesWithoutHead([...lib, ...src])).toEqual([]);
  });

  test.each(["'use strict';\n\nconst a = 1;\n", '#pragma once\n// What it is.\n', ''])('finds %j', (text) => {
    expect(rules.filesWithoutHead(sample('lib/a.js', text))).toHaveLength(1);
  });

  test('of a pair says it in the header', () => {
    const pair = [
      { file: 'src/a.h', text: '// What it is.\n' },
      { file: 'src/a.cc', text: '#include "a.h"\n' },
      { file: 'src/b.cc', text: '#include "a.h"\n' },
    ];
    expect(rules.filesWithoutHead(pair)).toEqual(['src/b.cc does not begin with a comment']);
  });

  test('holds no licence text', () => {
    expect(rules.licenceTexts([...lib, ...src])).toEqual([]);
  });

  test('finds a licence text', () => {
    const text = '// Copyright Joyent, Inc. and other Node contributors.';
    expect(rules.licenceTexts(sample('lib/a.js', text))).toHaveLength(1);
  });
});

describe('fixtures', () => {
  test('are all used', () => {
    const names = fixtures.map(({ file }) => file);
    expect(rules.unusedFixtures(names, tests)).toEqual([]);
  });

  test('finds one that only names itself', () => {
    const name = 'test/fixtures/net/sample.js';
    expect(rules.unusedFixtures([name], sample(name, "'sample.js'"))).toEqual([name]);
    expect(rules.unusedFixtures([name], sample('test/a.test.js', "run('sample.js')"))).toEqual([]);
  });
});

describe('package.json', () => {
  const exists = (file) => fs.existsSync(path.join(ROOT, file));

  test('exports files that exist, with types', () => {
    expect(rules.brokenExports(require('../package.json'), exists)).toEqual([]);
  });

  test('finds a subpath without types and without a file', () => {
    const manifest = { exports: { './x': { default: './lib/x.js' } } };
    expect(rules.brokenExports(manifest, () => false)).toHaveLength(2);
  });
});
