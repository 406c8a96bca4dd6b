'use strict';

// A bound seqpacket socket whose process has no descriptors left waits for room.

const { runFixture } = require('../helpers/child');
const { socketPath } = require('../helpers/socket_path');

test('a seqpacket server without descriptors says so, and serves its clients once there is room', async () => {
  const { code, stdout, stderr } = await runFixture('dgram/seqpacket_without_room.js', [socketPath()], {
    openFiles: 40,
  });
  expect({ code, stdout, stderr }).toEqual({
    code: 0,
    stdout: 'overload EMFILE accept\nconnection\nserved\n',
    stderr: '',
  });
});
