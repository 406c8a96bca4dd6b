'use strict';

// The channels of a child: Node's, of 'ipc' in its stdio, and pipewright's, of the option
// `pipewrightChannel`. What the child has to know of them is in its environment.

const { Channel } = require('../channel/index.js');
const { environmentPairs } = require('./env.js');
const { openChannel } = require('./ipc/target.js');
const { MESSAGE_DEFAULTS } = require('./message_options.js');
const { channelPair, isChannelPair } = require('./parent.js');

/** The entry of stdio for pipewright's, which is not in the list that the caller sees. */
const OWN_CHANNEL = Object.freeze({ kind: 'channel', fd: -1, stream: null, input: null });

const CHANNELS = new Set(['channel', 'ipc']); // Entries of stdio that are no streams.

// What a child has to know of its channel. Whatever the caller's `env` says of it is of another one.
function withChannel(options, fd) {
  const serialization = options.serialization ?? 'json';
  const pairs = (options.envPairs ?? []).filter((pair) => !String(pair).startsWith('NODE_CHANNEL_'));
  pairs.push(`NODE_CHANNEL_FD=${fd}`, `NODE_CHANNEL_SERIALIZATION_MODE=${serialization}`);
  return { ...MESSAGE_DEFAULTS, ...options, envPairs: pairs, serialization };
}

// The same for pipewright's channel.
function withOwnChannel(options, entries, { childFds }) {
  const fd = entries.findIndex(({ kind }) => kind === 'channel');
  if (fd < 0) return options;
  const pairs = (options.envPairs ?? environmentPairs(null, [])).filter((pair) => !isChannelPair(String(pair)));
  pairs.push(channelPair(fd, childFds[fd], options.pipewrightChannel));
  return { ...options, envPairs: pairs };
}

/**
 * Opens our ends of them: `fds` are those of the entries, and -1 is put in place of each
 * that is open. Pipewright's becomes a property of the child.
 *
 * @param {any} child
 * @param {() => void} onEnd called once Node's has ended
 * @returns {any} what to tell of the child's exit, or null without Node's
 */
function openChannels(child, entries, fds, options, onEnd) {
  const [own, ipc] = ['channel', 'ipc'].map((wanted) => entries.findIndex(({ kind }) => kind === wanted));
  if (fds[own] >= 0) {
    child.pipewrightChannel = new Channel(fds[own], options.pipewrightChannel);
    fds[own] = -1;
  }
  if (!(fds[ipc] >= 0)) return null;
  try {
    const target = openChannel(child, fds[ipc], options, onEnd);
    fds[ipc] = -1;
    return target;
  } catch (error) {
    child.pipewrightChannel?.destroy();
    throw error;
  }
}

module.exports = { CHANNELS, OWN_CHANNEL, openChannels, withChannel, withOwnChannel };
