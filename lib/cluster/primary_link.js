'use strict';

// A worker's link to its primary: finds out whether this process or thread is a worker, and
// opens its ends of the two channels.

const { isMainThread } = require('node:worker_threads');

const { claimDescriptor, closeOnExec } = require('../base/binding.js');
const { inodeOf } = require('../base/inode.js');
const { Channel } = require('../channel/index.js');
const { parent } = require('../child_process/parent.js');
const { Descriptor } = require('../fd/descriptor.js');
const { WORKER_VARIABLE } = require('./marks.js');

const PROCESS = /^(\d+):process:(\d+):(\d+)$/;
const THREAD = /^(\d+):thread:(\d+):(\d+):(\w+)$/;

// When the module is loaded: what this process or thread starts is no worker.
const mark = process.env[WORKER_VARIABLE] ?? '';
delete process.env[WORKER_VARIABLE];

const found = isMainThread ? findProcess(mark) : findThread(mark);

/** The worker's number; undefined in a process or thread that is no worker. */
const id = found?.id;

// The number may be another file's by now: a program in between, which has not pipewright,
// hands on its environment and not its descriptors.
function findProcess(text) {
  const [, number, fd, inode] = (PROCESS.exec(text) ?? []).map(Number);
  if (number === undefined || inodeOf(fd) !== inode) return null;
  closeOnExec(fd);
  return { id: number, control: new Descriptor(fd), openMessages: () => parent() };
}

// A token can be claimed once. This thread owns the descriptors from then on.
function findThread(text) {
  const [, number, controlToken, messagesToken, serialization] = THREAD.exec(text) ?? [];
  if (number === undefined) return null;
  const options = /** @type {any} */ ({ serialization });
  const fds = [controlToken, messagesToken].map((token) => claimDescriptor(Number(token)));
  if (fds.some((fd) => fd < 0)) return null;
  const [control, socket] = fds.map((fd) => new Descriptor(fd));
  return { id: Number(number), control, openMessages: () => new Channel(socket, options) };
}

/** Opens the control channel: to be called once, in a worker. */
const openControl = () => new Channel(found.control);

let messages = null;

/**
 * The channel of the program's messages, the same each time; null in a process or thread that is
 * no worker. It does not keep the worker running, which the control channel does.
 */
function openMessages() {
  if (found === null) return null;
  messages ??= found.openMessages()?.unref() ?? null;
  return messages;
}

module.exports = { id, openControl, openMessages };
