'use strict';

// A worker of the tour's clusters. It answers with its number; told to stall, it does nothing
// any more, not even when it is asked to end.

const http = require('node:http');
const { worker } = require('pipewright/cluster');

worker.on('message', async (message) => {
  if (message !== 'stall') return;
  await worker.sent('stalls');
  for (;;);
});
worker.serve(http.createServer((_, response) => response.end(String(worker.id))));
worker.ready();
