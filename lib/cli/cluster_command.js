'use strict';

// `pipewright cluster`: a cluster of an unchanged program, with a line on stderr for what happens.

const { statSync } = require('node:fs');
const { createRequire } = require('node:module');
const path = require('node:path');

const { createCluster } = require('../cluster/index.js');
const { normalizeListen } = require('../cluster/options.js');
const { listenDescriptors, notify } = require('../systemd.js');
const { FAILED, WRONG_USAGE, addressText, toAddress, toNumber } = require('./values.js');

const SYSTEMD = 'systemd';

const TIMES = ['readyTimeout', 'handoverTimeout', 'closeTimeout'];

/** @param {{ file: string, args: string[], options: any, command: any }} given */
function runCluster({ file, args, options, command }) {
  const refuse = (text) => command.error(`error: ${text}`, { exitCode: WRONG_USAGE });
  const exec = findProgram(file);
  if (exec === undefined) fail(`cannot find the program ${file}`);
  const addresses = (options.listen ?? []).flatMap((text) => addressesOf(text, options, refuse));
  let cluster;
  try {
    for (const address of addresses) normalizeListen([address]); // Before there are workers.
    cluster = createCluster({ exec, args, interceptListen: true, ...clusterOptions(options, refuse) });
    for (const address of addresses) cluster.listen(address);
  } catch (error) {
    refuse(inOptions(error.message));
  }
  new Run(cluster, options).watch();
}

// A link stays one: a reload starts what it leads to by then.
function findProgram(file) {
  const program = path.resolve(file);
  try {
    const found = createRequire(path.resolve('_')).resolve(program);
    return statSync(program, { throwIfNoEntry: false })?.isFile() ? program : found;
  } catch {
    return undefined;
  }
}

function clusterOptions(given, refuse) {
  const options = { schedule: given.schedule, kind: given.threads ? 'thread' : 'process' };
  for (const name of ['workers', ...TIMES]) {
    if (given[name] === undefined) continue;
    options[name] = toNumber(given[name]);
    if (options[name] === undefined) refuse(`option '${dashed(name)}' takes a number, and not '${given[name]}'`);
  }
  if (given.status !== undefined) {
    options.statusPage = toAddress(given.status);
    if (options.statusPage === undefined) refuse("option '--status' takes a path or a port");
  }
  return options;
}

function addressesOf(text, { mode, owner, group, ack }, refuse) {
  if (text === SYSTEMD) {
    const descriptors = listenDescriptors();
    if (descriptors.length === 0) fail('systemd has passed no sockets (LISTEN_FDS)');
    return descriptors.map(({ fd }) => ({ fd, ack }));
  }
  const address = toAddress(text);
  if (address === undefined) refuse("option '--listen' takes a path, a port, host:port, or systemd");
  const isFile = 'path' in address && !address.path.startsWith('\0');
  return [{ ...address, ...(isFile && { mode, owner, group, replaceStale: true }), ack }];
}

const dashed = (name) => `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;

// Errors of the libraries name their options.
const inOptions = (message) => message.replace(/["']options\.(\w+)["']/, (_, name) => `"${dashed(name)}"`);

function say(text) {
  process.stderr.write(`pipewright: ${text.split('\n')[0]}\n`);
}

/** @returns {never} */
function fail(text) {
  say(text);
  process.exit(FAILED);
}

class Run {
  #cluster;
  #isQuiet;
  #workerCount;
  #readyCount = 0;
  #wereReady = false; // All at once.
  #failedCount = 0; // Workers that have ended before any was ready.
  #isClosing = false;

  constructor(cluster, { quiet, workers }) {
    this.#cluster = cluster;
    this.#isQuiet = quiet === true;
    this.#workerCount = cluster.stats().workers.length || Number(workers);
  }

  watch() {
    const cluster = this.#cluster;
    cluster.on('listening', (address) => this.#tell(`listening at ${addressText(address)}`));
    cluster.on('ready', () => this.#onReady());
    cluster.on('exit', (worker, code, signal) => this.#onExit(worker, code, signal));
    cluster.on('full', () => this.#tell('no worker takes connections; clients wait'));
    cluster.on('room', () => this.#tell('workers take connections again'));
    cluster.on('reload', () => this.#tell('reloaded: new workers have taken over'));
    cluster.on('overload', (error) => say(error.message));
    cluster.on('error', (error) => this.#onError(error));
    cluster.on('close', () => process.exit());
    for (const signal of ['SIGTERM', 'SIGINT']) process.once(signal, () => this.#onStop(signal));
    cluster.handleSignals();
  }

  #tell(text) {
    if (!this.#isQuiet) say(text);
  }

  #onReady() {
    this.#readyCount += 1;
    const ready = this.#cluster.workers.filter(({ state }) => state === 'ready');
    if (this.#wereReady || ready.length < this.#workerCount) return;
    this.#wereReady = true;
    this.#tell(`${this.#workerCount} workers are ready`);
    this.#notify({ READY: 1 });
  }

  #onExit(worker, code, signal) {
    if (this.#isClosing) return;
    const how = signal === null ? `with status ${code}` : `by ${signal}`;
    const what = worker.threadId === undefined ? `process ${worker.pid}` : `thread ${worker.threadId}`;
    this.#tell(`worker ${worker.id} (${what}) has ended ${how}`);
    if (this.#readyCount > 0) return;
    this.#failedCount += 1;
    // Each of them has been tried: it is the program's fault, or that of its surroundings.
    if (this.#failedCount === this.#workerCount) this.#giveUp('no worker has come to listen');
  }

  // What happens before any worker was ready is a mistake in what was asked for.
  #onError(error) {
    if (this.#readyCount === 0 && error.syscall !== undefined) this.#giveUp(error.message);
    else say(error.message);
  }

  #giveUp(reason) {
    if (this.#isClosing) return;
    this.#isClosing = true;
    say(reason);
    process.exitCode = FAILED;
    this.#cluster.close();
  }

  // The cluster handles the signal itself.
  #onStop(signal) {
    if (this.#isClosing) return;
    this.#isClosing = true;
    this.#tell(`${signal}: finishing; once more ends at once`);
    this.#notify({ STOPPING: 1 });
  }

  #notify(state) {
    notify(state).catch((error) => say(`the service manager does not listen: ${error.message}`));
  }
}

module.exports = { runCluster };
