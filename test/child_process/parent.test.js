'use strict';

// parent(): a Channel between a parent and a child that both have pipewright.

const { once } = require('node:events');
const fs = require('node:fs');
const path = require('node:path');

const { ChildProcess, exec, fork, parent, spawn } = require('../../lib/child_process');
const { Descriptor } = require('../../lib/descriptors');
const { closing } = require('../helpers/closing');
const { ended } = require('../helpers/children');
const { temporaryFolder } = require('../helpers/socket_path');

const CHILD = path.join(__dirname, '../fixtures/child_process/channel_child.js');

function start(make) {
  const child = closing(make());
  closing(child.pipewrightChannel);
  return child;
}

function fileWith(text) {
  const file = path.join(temporaryFolder(), 'file');
  fs.writeFileSync(file, text);
  return Descriptor.from(fs.openSync(file));
}

test.each([
  ['spawn()', () => spawn(process.execPath, [CHILD], { pipewrightChannel: true })],
  ['fork()', () => fork(CHILD, { pipewrightChannel: { serialization: 'advanced' } })],
  [
    'a shell in between',
    () => spawn(`"${process.execPath}" "${CHILD}"`, { shell: true, pipewrightChannel: true, stdio: 'inherit' }),
  ],
])('requests with any descriptors to a child of %s', async (_, make) => {
  const child = start(make);
  const { message } = await child.pipewrightChannel.request([1, 'ü'], { descriptors: [fileWith('of a file')] });
  expect(message).toEqual({ message: [1, 'ü'], text: 'of a file', same: true, grandchild: 'null' });
});

test('it is beside the channel of Node, and no entry of stdio', async () => {
  const child = start(() => fork(CHILD, { pipewrightChannel: true }));
  child.send('hello');
  expect(await once(child, 'message')).toEqual(['hello by Node', undefined]);
  expect(child.stdio).toEqual([null, null, null, null]);
});

test('a child that has not pipewright takes no notice', async () => {
  const code = 'process.stdout.write(process.env.PIPEWRIGHT_CHANNEL.replace(/\\d+/g, "n"))';
  const child = start(() => spawn(process.execPath, ['-e', code], { pipewrightChannel: true }));
  const closed = once(child.pipewrightChannel, 'close');
  expect(await ended(child)).toMatchObject({ code: 0, stdout: 'n:n:json' });
  await closed;
});

test('without such a parent, or its socket, there is none', async () => {
  expect(parent()).toBe(null);
  const child = closing(spawn(process.execPath, [CHILD], { env: { ...process.env, PIPEWRIGHT_CHANNEL: '0:1:json' } }));
  expect((await ended(child)).stdout).toBe('no parent\n');
});

test('a child that cannot be started leaves nothing', async () => {
  const child = start(() => spawn('/nonexistent/program', { pipewrightChannel: true }));
  await once(child, 'error');
  expect(child).toBeInstanceOf(ChildProcess);
});

test.each([[1], ['yes'], [{ serialization: 'yaml' }], [{ maxMessageBytes: 0 }]])(
  'pipewrightChannel: %p is refused',
  (given) => {
    expect(() => spawn('true', { pipewrightChannel: given })).toThrow(
      expect.objectContaining({ code: expect.stringMatching(/^ERR_(INVALID_ARG|OUT_OF_RANGE)/) }),
    );
  },
);

test('exec() has it, too', async () => {
  const child = start(() => exec('true', { pipewrightChannel: true }));
  await once(child.pipewrightChannel, 'close');
});
