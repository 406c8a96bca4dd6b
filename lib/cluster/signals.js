'use strict';

// What signals do to a primary: cluster.handleSignals().

/**
 * SIGTERM and SIGINT close the cluster, and kill its workers when one of them comes again; SIGHUP
 * reloads; SIGUSR2 upgrades. Until the cluster has closed.
 *
 * @param {any} cluster
 * @param {() => void} kill kills the workers
 */
function watchSignals(cluster, kill) {
  let isEnding = false;
  const end = () => {
    if (isEnding) kill();
    isEnding = true;
    cluster.close();
  };
  // A signal's handler has no caller that could be told of a failure. Without a listener an 'error'
  // would end the primary.
  const report = (error) => {
    if (isEnding) return;
    if (cluster.listenerCount('error') > 0) cluster.emit('error', error);
    else process.emitWarning(error);
  };
  const handlers = {
    SIGTERM: end,
    SIGINT: end,
    SIGHUP: () => cluster.reload().catch(report),
    SIGUSR2: () => cluster.upgrade().catch(report),
  };
  for (const [signal, handler] of Object.entries(handlers)) process.on(signal, handler);
  cluster.once('close', () => {
    for (const [signal, handler] of Object.entries(handlers)) process.removeListener(signal, handler);
  });
}

module.exports = { watchSignals };
