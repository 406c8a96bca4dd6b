'use strict';

// The package as its users load it.

const { runFixture } = require('./helpers/child');

test('every subpath can be imported by name from an ES module', async () => {
  const { code, stdout, stderr } = await runFixture('imported_names.mjs');
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  for (const [specifier, { imported, required }] of Object.entries(JSON.parse(stdout))) {
    expect([specifier, imported]).toEqual([specifier, required]);
  }
});
