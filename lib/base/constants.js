'use strict';

// Numbers that several files share: results of the native layer, and limits of the
// kernel and of Node.

const { errno } = require('node:os').constants;

module.exports = {
  MAX_DESCRIPTORS: 253, // Limit for one message: SCM_MAX_FD.
  MAX_TIMER: 2 ** 31 - 1, // Milliseconds, the most that setTimeout() takes.
  QUEUED: 1, // A handle's write returns this if onwrite(status) will follow.
  RETRY_DELAY: 500, // Milliseconds between two attempts at a full table of descriptors,
  RETRY_FIRST_DELAY: 50, // and before the first of them, as in src/core/table_waiter.cc.
  UV_E2BIG: -errno.E2BIG,
  UV_EADDRINUSE: -errno.EADDRINUSE,
  UV_EBUSY: -errno.EBUSY,
  UV_ECONNRESET: -errno.ECONNRESET,
  UV_EEXIST: -errno.EEXIST,
  UV_EFAULT: -errno.EFAULT,
  UV_EINVAL: -errno.EINVAL,
  UV_EMFILE: -errno.EMFILE,
  UV_ENOBUFS: -errno.ENOBUFS,
  UV_ENOENT: -errno.ENOENT,
  UV_ENOTCONN: -errno.ENOTCONN,
  UV_EOF: -4095, // A number of libuv: the end of a stream.
  UV_ETIMEDOUT: -errno.ETIMEDOUT,
  WRITTEN: 0, // A handle's write returns this if the kernel took all.
};
