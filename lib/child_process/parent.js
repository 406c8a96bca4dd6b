'use strict';

// A Channel between a parent and a child that both have pipewright, beside whatever else
// they have. Both learn of it by the environment: a child that has not pipewright never
// hears of it.
//
//   PIPEWRIGHT_CHANNEL=4:81234:json   descriptor, inode of that socket, serialization

const { isMainThread } = require('node:worker_threads');

const { closeOnExec } = require('../base/binding.js');
const { inodeOf } = require('../base/inode.js');
const { validateObject } = require('../base/validate.js');
const { Channel } = require('../channel/index.js');

const NAME = 'PIPEWRIGHT_CHANNEL';

/** What a child's environment says of its end, which is the descriptor `fd` there and `ownFd` here. */
const channelValue = (fd, ownFd, serialization) => `${fd}:${inodeOf(ownFd)}:${serialization}`;

const channelPair = (fd, ownFd, { serialization }) => `${NAME}=${channelValue(fd, ownFd, serialization)}`;

const isChannelPair = (pair) => pair.startsWith(`${NAME}=`);

/** Our own parent's, if it has told us of one: the descriptor, and the serialization. */
const found = findChannel(NAME);
let channel = null;

/**
 * To be called when a module is loaded: what this process starts is not to take the channel for
 * its own. The number may be another file's by now: a program in between, which has not
 * pipewright, hands on its environment and not its descriptors.
 *
 * @param {string} name of the variable
 * @returns {{ fd: number, serialization: any } | null}
 */
function findChannel(name) {
  const [, fd, inode, serialization] = /^(\d+):(\d+):(\w+)$/.exec(process.env[name] ?? '') ?? [];
  if (fd === undefined || !isMainThread) return null;
  delete process.env[name];
  if (inodeOf(Number(fd)) !== Number(inode)) return null;
  closeOnExec(Number(fd));
  return { fd: Number(fd), serialization };
}

/**
 * The channel to the process that started this one with the option `pipewrightChannel`:
 * the same each time.
 *
 * @param {object} [options] of `new Channel()`, for the first call, but for the serialization,
 *   which is the parent's
 * @returns {Channel | null} null without such a parent, and in worker threads
 * @throws ERR_INVALID_ARG_TYPE, ERR_OUT_OF_RANGE
 */
function parent(options = {}) {
  validateObject(options, 'options');
  if (found === null) return null;
  channel ??= new Channel(found.fd, { ...options, serialization: found.serialization });
  return channel;
}

module.exports = { channelPair, channelValue, findChannel, isChannelPair, parent };
