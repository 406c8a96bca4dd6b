'use strict';

// A child and its streams as node:async_hooks sees them.

const { createHook } = require('node:async_hooks');
const { once } = require('node:events');

const { spawn } = require('../../lib/child_process');
const { closing } = require('../helpers/closing');

// What happens to each resource of such a type: ['before', 'after', 'destroy'].
function watch(...types) {
  const seen = new Map();
  const note = (event) => (id) => seen.get(id)?.push(event);
  const init = (id, type) => types.includes(type) && seen.set(id, []);
  const hook = createHook({ init, before: note('before'), after: note('after'), destroy: note('destroy') }).enable();
  closing(() => hook.disable());
  return seen;
}

test('issue 9: the context of a child is entered once, for its exit', async () => {
  const seen = watch('PROCESSWRAP');
  const child = closing(spawn('true', { stdio: 'ignore' }));
  await once(child, 'close');
  await new Promise(setImmediate);
  await new Promise(setImmediate);
  expect([...seen.values()]).toEqual([['before', 'after', 'destroy']]);
});
