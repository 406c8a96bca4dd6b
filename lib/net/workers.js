'use strict';

// Connections of a server that were sent to other processes. Whoever sends them adds a
// worker for each such process, with close(callback), getConnections(callback), and the
// event 'exit' once nothing is there any more.

const { inThisContext } = require('../base/async_scope.js');

/** The method Server.prototype._setupWorker. @this {any} */
function addWorker(worker) {
  this._usingWorkers = true;
  this._workers.push(worker);
  worker.once('exit', () => {
    this._workers = this._workers.filter((each) => each !== worker);
  });
}

/** Closes a server once the connections in other processes have closed as well. */
function awaitWorkers(server) {
  let left = server._workers.length;
  server._connections += 1; // So that 'close' does not come before the last of them has answered.
  const onAnswer = () => {
    if (left-- > 0) return;
    server._connections -= 1;
    server._emitCloseIfDrained();
  };
  for (const worker of [...server._workers]) worker.close(onAnswer);
  onAnswer();
}

/** @param {(error: Error | null, count?: number) => void} callback gets those here and there */
function countWithWorkers(server, callback) {
  let left = server._workers.length;
  let total = server._connections;
  let failure = null;
  const done = inThisContext('GETCONNECTIONS', callback);
  const onAnswer = (error, count) => {
    failure ??= error;
    if (error === null) total += count;
    if (left-- > 0) return;
    if (failure === null) process.nextTick(done, null, total);
    else process.nextTick(done, failure);
  };
  for (const worker of [...server._workers]) worker.getConnections(onAnswer);
  onAnswer(null, 0);
}

module.exports = { addWorker, awaitWorkers, countWithWorkers };
