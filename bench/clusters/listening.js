'use strict';

// A program that knows nothing of clusters: listening.js KIND PATH

const { makeServer } = require('./servers.js');

const [kind, address] = process.argv.slice(2);

makeServer(kind).listen(address);
