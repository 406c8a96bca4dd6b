'use strict';

// A server of fastify that knows nothing of clusters.
//
//   node examples/http_cluster.js                                       one process, at port 8080
//   npx pipewright cluster examples/http_cluster.js --workers 4         four, at the same port
//   npx pipewright cluster examples/http_cluster.js -w 4 -l app.sock    four, on a socket file
//   curl --unix-socket app.sock http://app/
//
// With the command, SIGHUP has new workers take over; no request is lost. SIGTERM (or Ctrl-C)
// ends it when all have been answered.

const fastify = require('fastify');

const app = fastify();
let answered = 0;

app.get('/', async () => {
  answered += 1;
  return { process: process.pid, answered };
});

app.listen({ port: Number(process.env.PORT ?? 8080) }).catch((error) => {
  console.error(error.message);
  process.exit(1);
});
