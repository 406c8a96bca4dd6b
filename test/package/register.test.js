'use strict';

// pipewright/register, seen from programs that are started with it.

const path = require('node:path');

const { runFixture } = require('../helpers/child');

const REGISTER = path.join(__dirname, '../../lib/register.js');

async function report(fixture, { args = [], register = 'child_process', env = {}, execArgv = ['-r', REGISTER] } = {}) {
  const result = await runFixture(fixture, args, { execArgv, env: { PIPEWRIGHT_REGISTER: register, ...env } });
  expect(result.stderr).toBe('');
  expect(result.code).toBe(0);
  return JSON.parse(result.stdout);
}

const FIXTURES = ['package/registered.js', 'package/registered.mjs'];

test.each(FIXTURES)('%s: child_process is pipewright, net is not', async (fixture) => {
  expect(await report(fixture)).toEqual({ spawn: 'ours', fork: 'ours', net: 'node', http: 'node', ran: 'x\n' });
});

test.each(FIXTURES)('%s: with net, both are; http keeps its own', async (fixture) => {
  const register = 'net,child_process';
  expect(await report(fixture, { register })).toEqual({
    spawn: 'ours',
    fork: 'ours',
    net: 'ours',
    http: 'node',
    ran: 'x\n',
  });
});

test.each(FIXTURES)('%s: net alone', async (fixture) => {
  expect(await report(fixture, { register: 'net' })).toMatchObject({ spawn: 'node', net: 'ours' });
});

test.each(FIXTURES)('%s: in a worker thread', async (fixture) => {
  expect(await report(fixture, { args: ['worker'], register: 'net,child_process' })).toMatchObject({
    spawn: 'ours',
    net: 'ours',
  });
});

test.each(FIXTURES)('%s: by NODE_OPTIONS', async (fixture) => {
  const env = { NODE_OPTIONS: `--require ${REGISTER}` };
  expect(await report(fixture, { env, execArgv: [] })).toMatchObject({ spawn: 'ours', net: 'node' });
});

test('a name that is no module is refused', async () => {
  const { code, stderr } = await runFixture('package/registered.js', [], {
    execArgv: ['-r', REGISTER],
    env: { PIPEWRIGHT_REGISTER: 'dns' },
  });
  expect(code).toBe(1);
  expect(stderr).toContain("PIPEWRIGHT_REGISTER has 'dns', and can have: child_process, net");
});

test('issue 9: fork() and a spawn with ipc in its stdio, and a ChildProcess', async () => {
  const { code, stderr, stdout } = await runFixture('package/registered_ipc.js', [], { execArgv: ['-r', REGISTER] });
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  expect(stdout).toBe('args! true 0\nno args! true 0\nown true 0 function\nmasked! true 0\n');
});

test("node:cluster forks pipewright's children, and schedules as ever", async () => {
  const { code, stderr, stdout } = await runFixture('package/registered_cluster.js', [], {
    execArgv: ['-r', REGISTER],
  });
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  expect(stdout).toBe('function\nworker 1\nworker 1\nworker 2\nworker 2\n');
});
