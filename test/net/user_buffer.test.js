'use strict';

// The option `onread`: a buffer that is gone when the next bytes come ends the socket with
// an error that says so, in place of a loop that never gets any further.

const { once } = require('node:events');
const net = require('../../lib/net');
const { closing } = require('../helpers/closing');
const { connectedPair } = require('../helpers/net_pair');

const GONE = { code: 'ENOBUFS', syscall: 'read', message: 'read ENOBUFS the buffer of the option onread has no room' };

const detach = ({ buffer }) => structuredClone(buffer, { transfer: [buffer] });
const whole = (size) => Buffer.from(new ArrayBuffer(size));

describe.each([
  ['a plain socket', undefined],
  ['a socket for descriptors', true],
])('%s', (_, descriptors) => {
  async function open(buffer, callback = () => true) {
    const { accepted, client } = await connectedPair(net, { client: { descriptors, onread: { buffer, callback } } });
    closing(accepted).on('error', () => {});
    return { accepted, client };
  }

  test('whose buffer was transferred away after a read', async () => {
    const buffer = whole(16);
    const { accepted, client } = await open(buffer, () => {
      detach(buffer);
      accepted.write('second');
    });
    accepted.write('first');
    const [error] = await once(client, 'error');
    expect({ ...error, message: error.message }).toMatchObject(GONE);
    expect(client.bytesRead).toBe(5);
  });

  test('whose buffer was transferred away before it was connected', async () => {
    const buffer = whole(16);
    detach(buffer);
    const { accepted, client } = await open(buffer);
    accepted.write('first');
    const [error] = await once(client, 'error');
    expect({ ...error, message: error.message }).toMatchObject(GONE);
  });

  test('whose function gives a buffer without memory', async () => {
    const buffers = [whole(16), Buffer.alloc(0)];
    const { accepted, client } = await open(
      () => buffers.shift(),
      () => accepted.write('second'),
    );
    accepted.write('first');
    const [error] = await once(client, 'error');
    expect({ ...error, message: error.message }).toMatchObject(GONE);
  });
});
