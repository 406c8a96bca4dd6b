'use strict';

// systemd's store of descriptors: a listener that is kept there under a name survives the
// service, and comes back at its next start. See FDSTORE= in sd_notify(3).

const fs = require('node:fs');
const net = require('node:net');
const path = require('node:path');

const { takeNamed } = require('../base/activation.js');
const { duplicateFd, socketName } = require('../base/binding.js');
const { errnoException } = require('../base/errors.js');
const { forgetFile } = require('../base/socket_files.js');
const { Descriptor } = require('../fd/descriptor.js');
const { notify } = require('../systemd.js');

const MAX_NAME = 107; // Bytes of an address. A longer path is bound under a short name: see src/README.md.

/**
 * Takes the listener of that name which systemd has passed, if it still is the one that is
 * asked for. If not, it is removed from the store.
 *
 * @param {any} target from normalizeListen(), with `store`
 * @param {(error: Error) => void} report
 * @returns {Descriptor | null}
 * @throws ERR_INVALID_ARG_VALUE if the variables contradict each other; EBADF
 */
function takeFromStore(target, report) {
  const fd = takeNamed(target.store);
  if (fd === undefined) return null;
  const descriptor = new Descriptor(fd);
  if (isSame(fd, target)) return descriptor;
  descriptor.close();
  removeFromStore(target.store).catch(report);
  return null;
}

function isSame(fd, target) {
  const name = socketName(fd);
  return target.kind === 'path' ? isPath(name, target.path) : isPort(name, target);
}

function isPath(name, wanted) {
  if (typeof name !== 'string') return false;
  if (wanted[0] === '\0') return name === wanted;
  const isThere = fs.lstatSync(wanted, { bigint: true, throwIfNoEntry: false })?.isSocket() === true;
  return isThere && (Buffer.byteLength(wanted) > MAX_NAME || path.resolve(name) === path.resolve(wanted));
}

// Which address a name of a host had when the listener was made is not known.
function isPort(name, { port, host }) {
  if (typeof name !== 'object' || (port !== 0 && name.port !== port)) return false;
  return net.isIP(host ?? '') === 0 || name.address === host;
}

/**
 * Leaves a copy with the service manager, if there is one. The file is not removed from then on.
 *
 * @returns {Promise<void>} rejects with the system's error
 */
async function keepInStore(listener, name) {
  const copy = duplicateFd(listener.fd);
  if (copy < 0) throw errnoException(copy, 'fcntl');
  const descriptor = new Descriptor(copy);
  try {
    const isKept = await notify({ FDSTORE: 1, FDNAME: name }, { descriptors: [descriptor] });
    if (!isKept) return;
  } finally {
    descriptor.close();
  }
  listener.keepFile();
  forgetFile(listener);
}

/** @returns {Promise<any>} rejects with the system's error */
function removeFromStore(name) {
  return notify({ FDSTOREREMOVE: 1, FDNAME: name });
}

module.exports = { keepInStore, removeFromStore, takeFromStore };
