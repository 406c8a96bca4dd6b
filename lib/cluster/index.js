'use strict';

// pipewright/cluster: createCluster() in the primary, `worker` in a worker.

const { createCluster } = require('./cluster.js');
const { worker } = require('./worker.js');

module.exports = { createCluster, worker };
