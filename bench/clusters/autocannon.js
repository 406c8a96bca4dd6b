'use strict';

// The load of bench/cluster_http: autocannon.js PATH CONCURRENT SECONDS; prints a line of JSON.

const autocannon = require('autocannon');

async function main([socketPath, connections, duration]) {
  const { requests, latency, errors, timeouts, non2xx } = await autocannon({
    url: 'http://localhost',
    socketPath,
    connections: Number(connections),
    duration: Number(duration),
  });
  if (errors + timeouts + non2xx > 0)
    throw new Error(`${errors} errors, ${timeouts} timeouts, ${non2xx} wrong answers`);
  const { total: count, average: perSecond } = requests;
  console.log(JSON.stringify({ count, perSecond, latencyMilliseconds: latency.p99 }));
}

main(process.argv.slice(2)).catch((error) => {
  console.error(error.message);
  process.exit(1);
});
