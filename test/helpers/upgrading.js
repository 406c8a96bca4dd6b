'use strict';

// A chain of primaries, each started by the one before, and clients that go on meanwhile.

const { once } = require('node:events');
const fs = require('node:fs');
const http = require('node:http');
const path = require('node:path');
const { startFixture } = require('./child');
const { gone } = require('./children');
const { closing } = require('./closing');
const { temporaryFolder } = require('./socket_path');

/** fixtures/cluster/upgraded_primary.js, and those that follow it. */
class Primaries {
  #file = path.join(temporaryFolder(), 'config.json');
  #read = 0; // Lines of the output that were waited for.

  /** @param {object} config see the fixture @param {object} [options] of startFixture() */
  constructor(config, options) {
    this.configure(config);
    closing(() => this.#killAll());
    this.child = startFixture('cluster/upgraded_primary.js', [this.#file], options);
    this.pid = this.child.pid;
  }

  /** What the next primary does. */
  configure(config) {
    fs.writeFileSync(this.#file, JSON.stringify({ options: {}, ...config }));
  }

  /** Waits until the first primary listens and has a worker. @returns {Promise<any[]>} its addresses */
  async areReady() {
    const { rest } = await this.says('listens');
    if (this.workers.length === 0) await this.says('ready');
    return JSON.parse(rest);
  }

  // Once the last process that has its stdout has ended.
  get #whenClosed() {
    return this.child.result.then(() => undefined);
  }

  #outputs() {
    return Object.values(this.child.output).join('\n');
  }

  #words() {
    return this.child.output.stdout
      .split('\n')
      .slice(0, -1)
      .map((line) => line.split(' '));
  }

  /** Of all workers that have become ready. */
  get workers() {
    return this.#words()
      .filter(([, said]) => said === 'ready')
      .map(([, , pid]) => Number(pid));
  }

  /** Of the primaries that have said something, in order. */
  get pids() {
    return [...new Set(this.#words().map(([pid]) => Number(pid)))];
  }

  /** Waits for the next line with this word. @returns {Promise<{ pid: number, rest: string }>} */
  async says(word) {
    for (;;) {
      const lines = this.#words();
      while (this.#read < lines.length) {
        const [pid, said, ...rest] = lines[this.#read++];
        if (said === word) return { pid: Number(pid), rest: rest.join(' ') };
      }
      if ((await Promise.race([once(this.child.stdout, 'data'), this.#whenClosed])) !== undefined) continue;
      if (this.#read === this.#words().length) throw new Error(`No primary has said ${word}:\n${this.#outputs()}`);
    }
  }

  /** Waits until the primary has accepted so many connections. */
  async hasAccepted(count) {
    let accepted = 0;
    while (accepted < count) {
      process.kill(this.pid, 'SIGHUP');
      accepted = Number((await this.says('accepted')).rest);
    }
  }

  /** Starts an upgrade. @returns {Promise<{ pid: number, rest: string }>} what the primary says of it */
  upgrade(word = 'upgraded') {
    process.kill(this.pid, 'SIGUSR2');
    return this.says(word);
  }

  /** Upgrades, and waits until the old primary has ended. */
  async upgraded() {
    const old = this.pid;
    const { rest } = await this.upgrade();
    this.pid = Number(rest);
    await gone(old);
  }

  /** Ends the primary as a service manager would. */
  async stop() {
    process.kill(this.pid, 'SIGTERM');
    await gone(this.pid);
  }

  // Each but the first leads a group, in which its workers are.
  #killAll() {
    for (const pid of this.pids.filter((each) => each !== this.child.pid)) {
      try {
        process.kill(-pid, 'SIGKILL');
      } catch {
        // All have ended.
      }
    }
  }
}

/**
 * Clients that ask again and again: some over connections that they keep, some over a new one for
 * each request.
 *
 * @param {object} target options of http.request()
 * @returns {{ count: number, failures: string[], has(count: number): Promise<void>, stop(): Promise<void> }}
 */
function askAgainAndAgain(target, { kept = 2, fresh = 2 } = {}) {
  const agent = new http.Agent({ keepAlive: true });
  const load = { count: 0, failures: [], has, stop };
  let isStopped = false;

  function ask(options) {
    return new Promise((resolve) => {
      const request = http.get({ ...target, ...options }, (response) => {
        response.resume().once('end', () => {
          load.count += 1;
          resolve();
        });
      });
      request.on('error', ({ code }) => {
        load.failures.push(`${options.agent === agent ? 'kept' : 'fresh'}: ${code}`);
        resolve();
      });
    });
  }

  async function loop(options) {
    while (!isStopped) await ask(options);
  }

  const loops = [];
  for (let i = 0; i < kept; i++) loops.push(loop({ agent }));
  for (let i = 0; i < fresh; i++) loops.push(loop({ agent: false }));

  async function has(count) {
    while (load.count < count) await ask({ agent: false });
  }

  async function stop() {
    isStopped = true;
    await Promise.all(loops);
    agent.destroy();
  }
  closing(stop);
  return load;
}

module.exports = { Primaries, askAgainAndAgain };
