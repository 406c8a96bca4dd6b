'use strict';

// Memory that a caller takes away while it is in use: by a getter that runs while the
// arguments are read, or by emptying a list that was given.

const os = require('node:os');
const v8 = require('node:v8');
const vm = require('node:vm');
const { MessageSocket, PipeWrap, socketPair, spawnSync } = require('../../lib/base/binding');
const { closing } = require('../helpers/closing');

const { EBADF } = os.constants.errno;
const STREAM = 1;

v8.setFlagsFromString('--expose-gc');
const collectGarbage = vm.runInNewContext('gc');

const detach = ({ buffer }) => structuredClone(buffer, { transfer: [buffer] });
const whole = (size, fill) => Buffer.from(new ArrayBuffer(size)).fill(fill);

function close(handle) {
  return new Promise((resolve) => {
    if (handle.close(resolve) !== 0) resolve();
  });
}

function pair(Carrier) {
  return socketPair(STREAM).map((fd) => {
    const handle = new Carrier();
    expect(handle.open(fd)).toBe(0);
    closing(() => close(handle));
    return handle;
  });
}

describe.each([MessageSocket, PipeWrap])('writeBuffers of %p', (Carrier) => {
  test('writes nothing of an element whose memory a later getter takes', () => {
    const [a] = pair(Carrier);
    const first = whole(1 << 20, 'a');
    const list = [first, null];
    Object.defineProperty(list, 1, { get: () => (first.length > 0 && detach(first), Buffer.from('b')) });
    expect(a.writeBuffers(list)).toBe(0);
    expect(a.bytesWritten).toBe(1);
  });

  test('returns EBADF if a getter closes the handle', () => {
    const [a] = pair(Carrier);
    const list = [null];
    Object.defineProperty(list, 0, { get: () => (a.close(), Buffer.from('b')) });
    expect(a.writeBuffers(list)).toBe(-EBADF);
  });

  test('writes what was in the list, though the caller empties it', async () => {
    const [a, b] = pair(Carrier);
    const sizes = [1 << 20, 100_000, 1 << 20];
    const total = sizes.reduce((sum, size) => sum + size);
    const list = sizes.map((size) => whole(size, 'a'));
    const written = new Promise((resolve) => (a.onwrite = resolve));
    expect(a.writeBuffers(list)).toBe(1);
    list.length = 0;
    await new Promise(setImmediate);
    collectGarbage();
    const others = sizes.map((size) => whole(size, 'b'));
    let bytes = 0;
    let isWrong = false;
    await new Promise((resolve) => {
      b.onread = (nread, chunk) => {
        isWrong ||= nread < 0 || chunk.some((byte) => byte !== 97);
        bytes += nread;
        if (isWrong || bytes >= total) resolve();
      };
      b.readStart();
    });
    expect({ bytes, isWrong, status: await written, kept: others.length }).toEqual({
      bytes: total,
      isWrong: false,
      status: 0,
      kept: 3,
    });
  });
});

test('spawnSync writes nothing of an input whose memory a later getter takes', () => {
  const input = whole(1 << 20, 'a');
  const options = {
    file: 'cat',
    args: ['cat'],
    get maxBuffer() {
      detach(input);
      return undefined;
    },
  };
  const { error, output } = spawnSync(options, [-1, -1, 2], [0, 1], [input]);
  expect([error, output[1].length]).toEqual([0, 0]);
});
