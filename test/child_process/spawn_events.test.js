'use strict';

const { AsyncLocalStorage } = require('node:async_hooks');
const diagnostics = require('node:diagnostics_channel');
const { once } = require('node:events');

const { spawn } = require('../../lib/child_process');
const { closing } = require('../helpers/closing');
const { CROWD, ENGINES, ended, stateOf } = require('../helpers/children');

const script = (text, options) => closing(spawn('sh', ['-c', text], options));

describe.each(ENGINES)('with the engine %s', (engine) => {
  test('events come in the order of Node', async () => {
    const child = script('echo out; exit 3', { engine });
    const order = [];
    for (const name of ['spawn', 'exit', 'close', 'error']) child.on(name, (...args) => order.push([name, ...args]));
    child.stdout.on('data', (data) => order.push([String(data)]));
    await once(child, 'close');
    expect(order).toEqual([['spawn'], ['out\n'], ['exit', 3, null], ['close', 3, null]]);
    expect(child).toMatchObject({ exitCode: 3, signalCode: null, killed: false });
  });

  test('a signal is told by its name', async () => {
    const child = script('kill -USR1 $$', { engine });
    expect(await once(child, 'exit')).toEqual([null, 'SIGUSR1']);
    expect(child).toMatchObject({ exitCode: null, signalCode: 'SIGUSR1' });
    await once(child, 'close');
  });

  test('many children that end at once are told apart', async () => {
    const children = Array.from({ length: CROWD[engine] }, (_, i) =>
      spawn('sh', ['-c', `exit ${i % 200}`], { engine, stdio: 'ignore' }),
    );
    const codes = await Promise.all(children.map((child) => once(child, 'exit')));
    expect(codes.map(([code]) => code)).toEqual(children.map((_, i) => i % 200));
    expect(children.filter(({ pid }) => stateOf(pid) !== null)).toEqual([]);
  });

  test('the resources it used are known after the exit', async () => {
    const child = script('i=0; while [ $i -lt 20000 ]; do i=$((i+1)); done', { engine });
    expect(child.resourceUsage).toBeNull();
    await once(child, 'close');
    expect(child.resourceUsage.userCPUTime).toBeGreaterThan(1000);
    expect(child.resourceUsage.maxRSS).toBeGreaterThan(500_000);
    expect(child.resourceUsage.voluntaryContextSwitches).toBeGreaterThanOrEqual(0);
  });
});

test('waiting for the data and then for the exit works', async () => {
  const child = script('echo a');
  const exited = once(child, 'exit');
  let text = '';
  for await (const chunk of child.stdout) text += chunk;
  expect(text).toBe('a\n');
  await exited;
  await once(child, 'close');
});

test('the exit is told in the context of the spawn', async () => {
  const storage = new AsyncLocalStorage();
  const child = storage.run('mine', () => script('true'));
  const seen = await new Promise((resolve) => child.on('exit', () => resolve(storage.getStore())));
  expect(seen).toBe('mine');
  await once(child, 'close');
});

test('diagnostics channels tell of a child', async () => {
  const seen = [];
  const onChild = ({ process }) => seen.push(process);
  diagnostics.subscribe('child_process', onChild);
  closing(() => diagnostics.unsubscribe('child_process', onChild));
  const child = script('true');
  await once(child, 'close');
  expect(seen).toEqual([child]);
});

test('ref and unref are those of the process', async () => {
  const child = script('true');
  child.unref();
  expect(child._handle.hasRef()).toBe(false);
  child.ref();
  expect(child._handle.hasRef()).toBe(true);
  await ended(child);
  child.unref();
});

test.each([0, 1, 2000])('%d arguments arrive unchanged', async (count) => {
  const args = Array.from({ length: count }, (_, i) => `a b'"\\${i}`);
  const child = closing(spawn('printf', ['%s\\n', ...args]));
  expect((await ended(child)).stdout).toBe(count === 0 ? '\n' : args.map((arg) => `${arg}\n`).join(''));
});
