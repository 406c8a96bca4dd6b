'use strict';

// A child was made, and then our ends of its stdio cannot be had: as if it had not been.
// That nothing is left over, setup.js sees.

const { once } = require('node:events');
const { EMFILE, ENOENT } = require('node:os').constants.errno;
const { PipeWrap } = require('../../lib/base/binding');
const { ChildProcess, spawn } = require('../../lib/child_process');
const { snapshot } = require('../helpers/leaks');

// From the `nth` on.
function failOpen(nth) {
  const { open } = PipeWrap.prototype;
  let count = 0;
  return jest.spyOn(PipeWrap.prototype, 'open').mockImplementation(function (...args) {
    count += 1;
    return count < nth ? open.apply(this, args) : -EMFILE;
  });
}

afterEach(() => jest.restoreAllMocks());

async function noChildren() {
  while (snapshot().children.size > 0) await new Promise(setImmediate);
}

test.each([
  [1, undefined],
  [2, undefined],
  [3, undefined],
  [4, ['pipe', 'pipe', 'pipe', 'pipe', 'pipe']],
])(
  'when end %i of the stdio cannot be opened, spawn throws, and the child is killed and reaped',
  async (nth, stdio) => {
    failOpen(nth);
    expect(() => spawn('sleep', ['1000'], { stdio })).toThrow(
      expect.objectContaining({ code: 'EMFILE', syscall: 'open' }),
    );
    await noChildren();
  },
);

test('neither spawn nor exit of it is told', async () => {
  const told = jest.fn();
  failOpen(2);
  const child = new ChildProcess();
  for (const event of ['spawn', 'exit', 'close', 'error']) child.on(event, () => told(event));
  expect(() => child.spawn({ file: 'sleep', args: ['sleep', '1000'], stdio: 'pipe' })).toThrow('EMFILE');
  expect([child.pid, child.kill()]).toEqual([undefined, false]);
  await noChildren();
  await new Promise(setImmediate);
  expect(told).not.toHaveBeenCalled();
});

test('a program that is not there is told by an error, also when the stdio cannot be opened', async () => {
  failOpen(2);
  const child = spawn('/nonexistent');
  const [error] = await once(child, 'error');
  expect(error).toMatchObject({ code: 'ENOENT', errno: -ENOENT });
});
