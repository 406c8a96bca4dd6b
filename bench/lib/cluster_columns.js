'use strict';

// The clusters that bench/cluster and bench/cluster_http compare.

const path = require('node:path');

const folder = path.join(__dirname, '../clusters');
const program = (name) => [process.execPath, path.join(folder, name)];

/** Those of others: `service` is what servers.js makes. */
function othersColumns(service) {
  const node = (policy) => (address, workers) => [...program('node.js'), policy, service, address, workers];
  return [
    { name: 'node rr', absent: null, command: node('rr') },
    { name: 'node shared', absent: null, command: node('none') },
    { name: 'PM2', absent: absenceOfPm2(), command: (...rest) => [...program('pm2.js'), service, ...rest] },
  ];
}

function absenceOfPm2() {
  try {
    require.resolve('pm2');
    return null;
  } catch {
    return 'npm install --no-save pm2';
  }
}

/** @returns {any} of pipewright: `kind` is process or thread; `service` sockets, echo or http */
function ownColumn(name, module, { kind = 'process', schedule = 'round-robin', service }) {
  return {
    name,
    absent: null,
    isThreaded: kind === 'thread',
    command: (...rest) => [...program('pipewright.js'), module, kind, schedule, service, ...rest],
  };
}

const MODULE = '../../lib/cluster/index.js'; // As seen from bench/clusters.

// A median of each; the ratios have a table of their own.
const processorFigures = (unit) => [
  { label: `primary, CPU a ${unit}`, format: 'microseconds', of: ({ primary }) => primary },
  { label: `workers, CPU a ${unit}`, format: 'microseconds', of: ({ workers }) => workers },
  { label: `all, CPU a ${unit}`, format: 'microseconds', of: ({ all }) => all },
];

module.exports = { MODULE, othersColumns, ownColumn, processorFigures };
