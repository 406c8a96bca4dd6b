'use strict';

// systemd.notify(), against a NOTIFY_SOCKET that Python listens on.

const { spawn } = require('node:child_process');
const fs = require('node:fs');
const { createInterface } = require('node:readline');
const { notify } = require('../../lib/systemd');
const { closing } = require('../helpers/closing');
const { socketPath } = require('../helpers/socket_path');

const LISTENER = `
import os, socket, sys
name = sys.argv[1].replace("@", "\\0", 1) if sys.argv[1][0] == "@" else sys.argv[1]
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM); s.bind(name); print("ready", flush=True)
data, fds, _, _ = socket.recv_fds(s, 1000, 10)
print(repr(data.decode()), [os.readlink("/proc/self/fd/%d" % fd) for fd in fds], flush=True)`;

async function listen(name) {
  const child = closing(spawn('python3', ['-c', LISTENER, name], { stdio: ['ignore', 'pipe', 'inherit'] }));
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  await lines.next();
  return async () => (await lines.next()).value;
}

test.each([
  ['at a path', () => socketPath('notify'), 'READY=1', "'READY=1' []"],
  [
    'at an abstract name',
    () => `@pipewright-${process.pid}`,
    { READY: true, STATUS: 'serving' },
    "'READY=1\\nSTATUS=serving' []",
  ],
])('a manager that listens %s is told', async (_, makeName, state, expected) => {
  const name = makeName();
  const told = await listen(name);
  expect(await notify(state, { env: { NOTIFY_SOCKET: name } })).toBe(true);
  expect(await told()).toBe(expected);
});

test('descriptors are left with the manager, and stay open', async () => {
  const name = socketPath('notify');
  const told = await listen(name);
  const fd = closing(fs.openSync('/dev/null'));
  await notify('FDSTORE=1\nFDNAME=null', { env: { NOTIFY_SOCKET: name }, descriptors: [fd] });
  expect(await told()).toBe("'FDSTORE=1\\nFDNAME=null' ['/dev/null']");
});

test('without a manager it is false; with a dead one an error', async () => {
  expect(await notify('READY=1', { env: {} })).toBe(false);
  await expect(notify('READY=1', { env: { NOTIFY_SOCKET: socketPath() } })).rejects.toMatchObject({ code: 'ENOENT' });
  await expect(notify(5)).rejects.toMatchObject({ code: 'ERR_INVALID_ARG_TYPE' });
});
