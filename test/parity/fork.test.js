'use strict';

// fork() and stdio 'ipc' beside those of node:child_process, with children that have only
// Node: the same calls, the same events, results and errors.

const { once } = require('node:events');
const path = require('node:path');

const { expectParity } = require('../helpers/transcript');

const EVENTS = ['spawn', 'message', 'internalMessage', 'disconnect', 'exit', 'close', 'error'];

const fixture = (name) => path.join(__dirname, '../fixtures/child_process', name);
const ECHO = fixture('ipc_echo.js');

const state = ({ connected, channel, exitCode, stdio }) => ({
  connected,
  channel: channel === undefined ? 'none' : channel === null ? 'closed' : typeof channel.ref,
  exitCode,
  stdio: stdio?.map((stream) => stream && typeof stream),
});

// Not events.once(), which rejects at an 'error'.
const seen = (child, event) => new Promise((resolve) => child.once(event, resolve));
const closed = (child) => seen(child, 'close');
// After disconnect() here, Node's 'close' does not come.
const exited = (child) => seen(child, 'exit');

describe.each(['json', 'advanced'])('with %s', (serialization) => {
  test('messages there and back, and an end by the child', async () => {
    await expectParity('child_process', async ({ fork }, { closing, log, lane, record }) => {
      const child = closing(fork(ECHO, { serialization }));
      record(child, EVENTS, log);
      log('state', state(child));
      for (const message of [{ a: [1, null, 'ü\n'] }, 'text', 0, false, null, [], { cmd: 'NODE_' }, 'disconnect']) {
        log(
          'send',
          child.send(message, (error) => lane('callbacks')('called', error)),
        );
      }
      await closed(child);
      log('state', state(child));
    });
  });

  test('an end by the parent', async () => {
    await expectParity('child_process', async ({ fork }, { closing, log, record }) => {
      const child = closing(fork(ECHO, { serialization, silent: true }));
      record(
        child,
        EVENTS.filter((event) => event !== 'close'),
        log,
      );
      child.send('x');
      await once(child, 'message');
      child.disconnect();
      log('state', state(child));
      log(
        'send',
        child.send('y', (error) => log('called', error)),
      );
      child.disconnect();
      await exited(child);
    });
  });
});

test('messages that are internal to Node', async () => {
  await expectParity('child_process', async ({ fork }, { closing, log, record }) => {
    const child = closing(fork(ECHO));
    record(child, EVENTS, log);
    for (const cmd of ['NODE_', 'NODE_X', 'XNODE_X', 'node_x', 1]) child.send({ repeat: { cmd }, times: 1 });
    child.send('disconnect');
    await closed(child);
  });
});

test('messages are held until somebody listens', async () => {
  await expectParity('child_process', async ({ fork }, { closing, log }) => {
    const child = closing(fork(ECHO));
    child.send({ repeat: 'a', times: 1 });
    child.send({ repeat: { cmd: 'NODE_X' }, times: 1 });
    await once(child, 'internalMessage'); // The one before is there, too.
    child.on('message', (...args) => log('message', ...args));
    child.send('disconnect');
    await closed(child);
  });
});

test.each([
  [[]],
  [[undefined]],
  [[() => {}]],
  [[1n]],
  [[Symbol('x')]],
  [['x', 1]],
  [['x', {}]],
  [['x', 'y']],
  [['x', undefined, 1]],
  [['x', undefined, null]],
])('send(%p) throws the same', async ([args]) => {
  await expectParity('child_process', async ({ fork }, { closing, log }) => {
    const child = closing(fork(ECHO));
    try {
      log('sent', child.send(...(args ?? [])));
    } catch (error) {
      log('threw', error);
    }
    child.disconnect();
    await exited(child);
  });
});

test.each([[1], ['x'], [{}], [false], [null]])('send() with the callback %p', async (callback) => {
  await expectParity('child_process', async ({ fork }, { closing, log }) => {
    const child = closing(fork(ECHO));
    log('sent', child.send('x', undefined, undefined, callback));
    child.disconnect();
    log('sent', child.send('x', undefined, undefined, callback));
    log('error', await seen(child, 'error'));
    await exited(child);
  });
});

test.each([[0], [1], ['yes'], [{}], [null]])('fork() with silent: %p', async (silent) => {
  await expectParity('child_process', async ({ fork }, { closing, log }) => {
    const child = closing(fork(ECHO, { silent }));
    log('state', state(child));
    child.disconnect();
    await exited(child);
  });
});

test.each([
  ['a circular message', { circular: true }],
  ['a toJSON that throws', { throws: true }],
])('%s', async (_, { circular }) => {
  await expectParity('child_process', async ({ fork }, { closing, log }) => {
    const child = closing(fork(ECHO));
    const message = circular
      ? {}
      : {
          toJSON() {
            throw new RangeError('mine');
          },
        };
    if (circular) message.self = message;
    try {
      log('sent', child.send(message));
    } catch ({ name, message: text }) {
      log('threw', name, text.split('\n')[0]);
    }
    child.disconnect();
    await exited(child);
  });
});

test.each([
  [[]],
  [[1]],
  [[ECHO, 'x']],
  [[ECHO, [], 1]],
  [[ECHO, [], { stdio: 'x' }]],
  [[ECHO, [], { stdio: ['pipe', 'pipe', 'pipe'] }]],
  [[ECHO, [], { stdio: ['ipc', 'ipc'] }]],
  [[ECHO, [], { serialization: 'x' }]],
  [[ECHO, [], { serialization: null }]],
  [[ECHO, [], { execArgv: ['a\0b'] }]],
  [[ECHO, [], { execPath: 'a\0b' }]],
  [[ECHO, [], { cwd: 1 }]],
  [['a\0b']],
  [[Buffer.from('a\0b')]],
  [[ECHO, [], { cwd: Buffer.from('a\0b') }]],
])('fork(...%j) throws the same', async (args) => {
  await expectParity('child_process', async ({ fork }, { log }) => {
    try {
      fork(...args);
      log('did not throw');
    } catch (error) {
      log('threw', error);
    }
  });
});

test.each([
  ['silent', { silent: true }],
  ['a word', { stdio: 'pipe' }],
  ['ignored', { stdio: 'ignore' }],
  ['a list', { stdio: ['ipc', 'pipe', 'ignore'] }],
  ['the channel far away', { stdio: ['ignore', 'pipe', 'ignore', null, null, 'pipe', 'ipc'] }],
])('stdio: %s', async (_, options) => {
  await expectParity('child_process', async ({ fork }, { closing, log, record }) => {
    const child = closing(fork(ECHO, [], options));
    record(child, EVENTS, log);
    log('state', state(child), child.spawnargs.slice(2));
    child.send('hello');
    child.send('disconnect');
    child.stdout?.resume();
    await closed(child);
  });
});

test.each([
  ['that is not there', { execPath: '/nonexistent/program' }],
  ['that is none', { execPath: '/etc/passwd' }],
])('an execPath %s', async (_, options) => {
  await expectParity('child_process', async ({ fork }, { closing, lane, record, log }) => {
    const child = closing(fork(ECHO, [], options));
    record(child, ['spawn', 'message', 'exit', 'close'], log);
    record(child, ['disconnect'], lane('channel'));
    child.on('error', ({ code, syscall }) => log('error', code, syscall));
    log('state', state(child));
    await Promise.all([closed(child), seen(child, 'disconnect')]);
    log('state', state(child));
  });
});

test('a child without a channel', async () => {
  await expectParity('child_process', async ({ spawn }, { closing, log }) => {
    const child = closing(spawn('true'));
    log('has', state(child), typeof child.send, typeof child.disconnect);
    await closed(child);
  });
});

test('a child that ends at once, with messages behind it', async () => {
  await expectParity('child_process', async ({ fork }, { closing, log, lane }) => {
    const child = closing(fork(ECHO));
    child.on('message', (message) => lane('messages')('message', message.length));
    child.on('exit', (...args) => log('exit', ...args));
    child.on('close', (...args) => log('close', ...args));
    child.send({ repeat: 'x'.repeat(1000), times: 20, exit: 3 });
    await closed(child);
  });
});
