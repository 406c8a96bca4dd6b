'use strict';

// The socket of a channel: what was given becomes a Descriptor with one owner.

const { descriptorType } = require('../base/binding.js');
const { errnoException, invalidArgType, invalidFdType, plain } = require('../base/errors.js');
const { Descriptor, kHandOver } = require('../fd/descriptor.js');
const { kLend } = require('../fd/lend.js');
const { fdOf, kindOf, refuseData } = require('../fd/node_objects.js');
const { prepareOpenNumber } = require('../fd/own_number.js');
const { prepareDescriptor } = require('../fd/sendable.js');
const { validateInt32 } = require('../base/validate.js');

/**
 * Opens the handle on a connected Unix stream socket, which it owns from then on. A socket
 * object that was given is destroyed: what it had is the handle's. On failure everything is
 * as it was.
 *
 * @param {any} target a number, a Descriptor, a Socket of pipewright or of Node
 * @param {any} handle
 * @throws ERR_INVALID_ARG_TYPE, ERR_INVALID_FD_TYPE, ERR_DESCRIPTOR_UNREAD_DATA,
 *   ERR_DESCRIPTOR_CLOSED, ERR_DESCRIPTOR_BUSY, ERR_OUT_OF_RANGE, EBADF, EEXIST, EMFILE
 */
function openTarget(target, handle) {
  checkTarget(target);
  const descriptor = (typeof target === 'number' ? prepareNumber(target) : prepareObject(target)).commit();
  try {
    descriptor[kHandOver]((fd) => {
      const err = handle.open(fd);
      if (err !== 0) throw errnoException(err, 'open');
      return true;
    });
  } catch (error) {
    // A number is the caller's again, unless it had to be given another one.
    if (target === descriptor.fd) descriptor.take();
    else if (target !== descriptor) descriptor.close();
    throw error;
  }
}

// Before anything is taken from its owner.
function checkTarget(target) {
  const isObject = typeof target === 'object' && target !== null;
  if (isObject ? !isTarget(target) : typeof target !== 'number') {
    throw invalidArgType('target', ['number', 'Descriptor', 'Socket'], target);
  }
  const fd = isObject ? fdOf(target) : target;
  if (!isObject) validateInt32(fd, 'target', 0);
  else if (!(fd >= 0)) throw plain('ERR_DESCRIPTOR_CLOSED');
  const type = descriptorType(fd);
  if (typeof type === 'number') throw errnoException(type, 'fstat');
  if (type !== 'unix') throw invalidFdType(type);
}

const isTarget = (object) =>
  typeof object[kLend] === 'function' || (kindOf(object) === 'net.Socket' && typeof object.destroy === 'function');

const prepareObject = (target) =>
  typeof target[kLend] === 'function' ? prepareDescriptor(target) : prepareNodeSocket(target);

// A number is given to the channel, as Descriptor.from() has it, not borrowed.
function prepareNumber(number) {
  const { fd, commit } = prepareOpenNumber(number);
  return {
    commit() {
      commit();
      return new Descriptor(fd);
    },
  };
}

function prepareNodeSocket(socket) {
  refuseData(socket);
  const { commit, undo } = prepareDescriptor(socket);
  return {
    commit() {
      try {
        socket.destroy();
      } catch (error) {
        undo();
        throw error;
      }
      return commit();
    },
  };
}

module.exports = { openTarget };
