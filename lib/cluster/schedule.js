'use strict';

// A function as schedule: it is asked about all connections that one turn of the event loop has
// brought. The other schedules need no JavaScript; see src/cluster/schedule.cc.

const { callSafely } = require('../base/callback.js');
const { badChoice } = require('../base/errors.js');

const ANY = -1; // In place of a slot: any worker may have the connection.
const NO_BYTES = Buffer.alloc(0);

/**
 * Lets `choose` decide. A connection for which it throws or returns nonsense goes to any worker.
 *
 * @param {any} dispatcher
 * @param {(connection: object) => any} choose gets { address, peer, bytes, listener }
 * @param {object} cluster
 * @param {number} cluster.workers how many slots there are
 * @param {(listener: number) => any} cluster.addressOf
 * @param {(error: any) => void} cluster.onError
 */
function letFunctionChoose(dispatcher, choose, { workers, addressOf, onError }) {
  const slotFor = ({ listener, client, bytes }, errors) => {
    try {
      const isKnown = typeof client === 'object'; // It may have gone already.
      const isPeer = isKnown && client.pid !== undefined;
      const choice = choose({
        address: isKnown && !isPeer ? client.address : undefined,
        peer: isPeer ? client : undefined,
        bytes: bytes.length > 0 ? bytes : NO_BYTES,
        listener: addressOf(listener),
      });
      const slot = typeof choice === 'object' && choice !== null ? choice.slot : choice;
      if (Number.isInteger(slot) && slot >= 0 && slot < workers) return slot;
      errors.push(badChoice(choice, workers - 1));
    } catch (error) {
      errors.push(error);
    }
    return ANY;
  };

  dispatcher.onchoice = () => {
    const connections = dispatcher.takeUndecided();
    const ids = Uint32Array.from(connections, ({ id }) => id);
    const errors = [];
    const slots = Int32Array.from(connections, (connection) => slotFor(connection, errors));
    dispatcher.choose(ids, slots); // Fails only if the function has closed the cluster.
    for (const error of errors) callSafely(onError, error);
  };
}

module.exports = { letFunctionChoose };
