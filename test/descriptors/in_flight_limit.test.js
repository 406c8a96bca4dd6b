'use strict';

// ETOOMANYREFS: an unprivileged user may have only so many descriptors in flight. Root
// never meets it.

const { runFixture } = require('../helpers/child');

test('beyond the limit of descriptors in flight sends wait, and none is lost', async () => {
  const user = process.getuid() === 0 ? { uid: 65534, gid: 65534 } : {};
  const { code, stdout, stderr } = await runFixture('descriptors/in_flight_sender.js', [], { ...user, openFiles: 300 });
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  expect(JSON.parse(stdout)).toEqual({ sent: 2000, failed: 0, received: 2000, hitLimit: true });
});
