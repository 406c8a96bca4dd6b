'use strict';

// cluster.reload(), and workers that are replaced since they have served enough: no client
// notices, and a reload that fails leaves everything as it was.

const { once } = require('node:events');
const fs = require('node:fs');
const http = require('node:http');
const http2 = require('node:http2');
const https = require('node:https');
const net = require('node:net');
const path = require('node:path');
const tls = require('node:tls');
const { createCluster } = require('../../lib/cluster');
const { certificate, privateKey } = require('../helpers/certificate');
const { closing } = require('../helpers/closing');
const { socketPath, temporaryFolder } = require('../helpers/socket_path');
const { isStress } = require('../helpers/stress');

const fixture = (name) => path.join(__dirname, '../fixtures/cluster', name);

/** A cluster that listens, and whose workers are ready. @returns {Promise<any>} { cluster, target } */
async function started(options, address = { path: socketPath() }) {
  const cluster = createCluster({ exec: fixture('serving_worker.js'), args: ['http'], workers: 2, ...options });
  closing(() => cluster.close());
  const { workers = 2 } = options ?? {};
  const ready = new Promise((resolve) => {
    let count = 0;
    cluster.on('ready', () => ++count === workers && resolve(undefined));
  });
  const [[listening]] = await Promise.all([once(cluster.listen(address), 'listening'), ready]);
  const target = typeof listening === 'string' ? { socketPath: listening } : { port: listening.port };
  return { cluster, target };
}

function tlsFiles() {
  const folder = temporaryFolder();
  const files = [path.join(folder, 'key'), path.join(folder, 'cert')];
  fs.writeFileSync(files[0], privateKey);
  fs.writeFileSync(files[1], certificate);
  return files;
}

/** A client's connection. All but its first chunk arrives once goOn() is called. */
async function slowly(target) {
  const place = socketPath();
  const proxy = closing(net.createServer());
  await once(proxy.listen(place), 'listening');
  const socket = closing(net.connect(place));
  const [near] = await once(proxy, 'connection');
  const far = closing(net.connect(target));
  closing(near).once('data', (first) => {
    near.pause();
    far.write(first);
  });
  far.pipe(near);
  return { socket, goOn: () => near.pipe(far) };
}

/** One request. @returns {Promise<any>} { worker, response } */
function get(options, { request } = http) {
  return new Promise((resolve, reject) => {
    const call = request(options, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (chunk) => (text += chunk));
      response.on('end', () => resolve({ worker: Number(text.split(' ')[0]), response }));
    });
    call.on('error', reject).end();
  });
}

function keepAliveAgent({ Agent } = http, options = {}) {
  const agent = new Agent({ keepAlive: true, maxSockets: 1, ...options });
  closing(() => agent.destroy());
  return agent;
}

/** Sends requests, one after the other, until stop() is called. */
class KeepAliveClient {
  served = 0;
  errors = [];
  sockets = new Set();
  #isStopped = false;
  #done;

  constructor(target) {
    this.#done = this.#run({ ...target, agent: keepAliveAgent() });
  }

  async #run(options) {
    while (!this.#isStopped) {
      try {
        const { response } = await get(options);
        this.served += 1;
        this.sockets.add(response.socket);
      } catch (error) {
        this.errors.push(error);
      }
      // In half of the rounds the connection is idle for a turn.
      if (this.served % 2 === 0) await new Promise((resolve) => setImmediate(resolve));
    }
  }

  stop() {
    this.#isStopped = true;
    return this.#done;
  }
}

const idsOf = (cluster) => cluster.stats().workers.map(({ id }) => id);

/** Resolves once the workers with these ids have ended. */
async function ended(cluster, ids) {
  while (idsOf(cluster).some((id) => ids.includes(id))) await once(cluster, 'exit');
}

describe('reload()', () => {
  test.each([
    ['a path', undefined],
    ['TCP', { port: 0, host: '127.0.0.1' }],
  ])('under load, over %s, harms no keep-alive client', async (_, address) => {
    const { cluster, target } = await started({}, address);
    const clients = Array.from({ length: 8 }, () => new KeepAliveClient(target));
    const reloads = isStress ? 10 : 2;
    for (let i = 0; i < reloads; i++) {
      await cluster.reload();
      await ended(
        cluster,
        idsOf(cluster).filter((id) => id <= 2 * (i + 1)),
      );
    }
    await Promise.all(clients.map((client) => client.stop()));
    expect(clients.flatMap(({ errors }) => errors)).toEqual([]);
    expect(Math.min(...clients.map(({ served }) => served))).toBeGreaterThan(0);
    const { handedOn, reloads: counted, restarts } = cluster.stats();
    expect(handedOn).toBeGreaterThanOrEqual(8); // A connection that was kept alive has moved.
    expect([counted, restarts]).toEqual([reloads, 0]);
  });

  test.each(['process', 'thread'])(
    'moves an idle connection of a %s to a new one, unseen by the client',
    async (kind) => {
      const { cluster, target } = await started({ kind });
      const agent = keepAliveAgent();
      const before = await get({ ...target, agent });
      await cluster.reload();
      await ended(cluster, [1, 2]);
      const after = await get({ ...target, agent });
      expect(after.response.socket).toBe(before.response.socket);
      expect(before.worker).toBeLessThan(3);
      expect(after.worker).toBeGreaterThan(2);
      expect(cluster.stats()).toMatchObject({ accepted: 1, handedOn: 1, moved: 0 });
    },
  );

  test('moves a connection on which nothing was sent yet', async () => {
    const { cluster, target } = await started();
    const agent = keepAliveAgent();
    const socket = closing(agent.createConnection({ path: target.socketPath }));
    while (cluster.stats().workers.every(({ active }) => active === 0)) await once(socket, 'connect');
    await cluster.reload();
    await ended(cluster, [1, 2]);
    const { worker } = await get({ createConnection: () => socket });
    expect(worker).toBeGreaterThan(2);
  });

  test('lets an open request end, and announces that the connection does', async () => {
    const { cluster, target } = await started();
    const agent = keepAliveAgent();
    const slow = get({ ...target, agent, path: '/until-stop' });
    while (cluster.stats().workers.every(({ active }) => active === 0)) await new Promise(setImmediate);
    await cluster.reload();
    const { worker, response } = await slow;
    expect(worker).toBeLessThan(3);
    expect(response.headers.connection).toBe('close');
  });

  test('answers the next request on an idle TLS connection, and then ends it', async () => {
    const { cluster, target } = await started({ args: ['https', ...tlsFiles()] }, { port: 0, host: '127.0.0.1' });
    const agent = keepAliveAgent(https, { rejectUnauthorized: false });
    const before = await get({ ...target, agent }, https);
    await cluster.reload();
    let after;
    do {
      after = await get({ ...target, agent }, https); // The worker may not have heard of it yet.
      expect(after.worker).toBe(before.worker);
    } while (after.response.headers.connection !== 'close');
    expect((await get({ ...target, agent }, https)).worker).toBeGreaterThan(2);
  });

  test('ends a session of http2 after its open requests', async () => {
    const { cluster, target } = await started({ args: ['http2'] });
    const connect = () =>
      closing(http2.connect('http://localhost', { createConnection: () => net.connect(target.socketPath) }));
    const session = connect();
    const ask = (on, text) => on.request({ ':path': text }).setEncoding('utf8');
    const slow = ask(session, '/until-stop');
    await once(ask(session, '/'), 'data');
    const closed = once(session, 'close');
    await cluster.reload();
    expect(Number((await once(slow, 'data'))[0])).toBeLessThan(3);
    await closed;
    expect(parseInt((await once(ask(connect(), '/'), 'data'))[0], 10)).toBeGreaterThan(2);
  });

  test('ends a session of http2 that was not there yet, its handshake of TLS being under way', async () => {
    const { cluster, target } = await started({ args: ['http2s', ...tlsFiles()], workers: 1 });
    const connect = (where) => {
      const createConnection = () => tls.connect({ ...where, ALPNProtocols: ['h2'], rejectUnauthorized: false });
      return closing(http2.connect('https://localhost', { createConnection }));
    };
    const { socket, goOn } = await slowly(target.socketPath);
    const late = connect({ socket });
    const request = connect({ path: target.socketPath }).request({ ':path': '/until-stop' });
    while (cluster.stats().workers[0].active < 2) await new Promise(setImmediate);
    const stopped = once(request, 'data');
    await cluster.reload();
    await stopped;
    goOn();
    expect(await once(late, 'goaway')).toContain(http2.constants.NGHTTP2_NO_ERROR);
    await once(late, 'close');
  });

  test('answers requests that a client has sent without waiting, all of them', async () => {
    const { cluster, target } = await started({ workers: 1 });
    const client = closing(net.connect(target.socketPath)).setEncoding('latin1');
    client.write('GET /until-stop HTTP/1.1\r\nHost: x\r\n\r\n'.repeat(3));
    while (cluster.stats().workers[0].active === 0) await new Promise(setImmediate);
    await cluster.reload();
    let text = '';
    while ((text.match(/HTTP\/1\.1 200 OK/g) ?? []).length < 3) text += await once(client, 'data');
  });

  test('takes the program, its arguments and environment as they are now', async () => {
    const folder = temporaryFolder();
    const program = path.join(folder, 'worker.js');
    const write = (text) =>
      fs.writeFileSync(
        program,
        `const { worker } = require(${JSON.stringify(require.resolve('../../lib/cluster'))});
         const server = require('http').createServer((_, response) => response.end(${text}));
         worker.serve(server);
         worker.ready();`,
      );
    write("'1'");
    const { cluster, target } = await started({ exec: program, workers: 1 });
    const agent = keepAliveAgent();
    expect((await get({ ...target, agent })).worker).toBe(1);
    write('process.argv[2] + process.env.OF_RELOAD');
    await cluster.reload({ args: ['2'], env: { ...process.env, OF_RELOAD: '3' } });
    await ended(cluster, [1]);
    expect((await get({ ...target, agent })).worker).toBe(23);
  });

  test('of workers that are not ready in time is rolled back', async () => {
    const { cluster, target } = await started({ readyTimeout: 5000 });
    const rollback = once(cluster, 'rollback');
    const reload = cluster.reload({ exec: fixture('unready_worker.js'), args: ['end'] });
    await expect(reload).rejects.toMatchObject({ code: 'ERR_CLUSTER_RELOAD_FAILED' });
    expect((await rollback)[0].code).toBe('ERR_CLUSTER_RELOAD_FAILED');
    expect(idsOf(cluster)).toEqual([1, 2]);
    expect((await get({ ...target, agent: false })).worker).toBeLessThan(3);
    expect(cluster.stats()).toMatchObject({ reloads: 0, restarts: 0 });
    await cluster.reload(); // With what held before.
    expect((await get({ ...target, agent: false })).worker).toBeGreaterThan(3);
  });

  test('while another is under way follows it, once', async () => {
    const { cluster } = await started({ workers: 1 });
    const first = cluster.reload();
    await once(cluster, 'ready');
    const others = [cluster.reload(), cluster.reload()];
    await Promise.all([first, ...others]);
    expect(cluster.stats().reloads).toBe(2);
  });

  test('while another is under way takes over what that one changes', async () => {
    const about = path.join(__dirname, '../fixtures/cluster/messaging_worker.js');
    const cluster = createCluster({ exec: about, args: ['about'], workers: 1 });
    closing(() => cluster.close());
    await once(cluster, 'ready');
    const words = [];
    cluster.on('message', (_, { word }) => words.push(word));
    let second;
    cluster.once('ready', () => (second = cluster.reload())); // Of a worker that has yet to take over.
    await cluster.reload({ env: { ...process.env, WORD: 'new' } });
    await second;
    expect(words.slice(-2)).toEqual(['new', 'new']);
  });

  test('ends with the cluster', async () => {
    const { cluster } = await started({ workers: 1 });
    const reload = cluster.reload();
    const closed = cluster.close();
    await expect(reload).rejects.toMatchObject({ code: 'ERR_CLUSTER_CLOSED' });
    await expect(cluster.reload()).rejects.toMatchObject({ code: 'ERR_CLUSTER_CLOSED' });
    await closed;
    expect(cluster.stats().workers).toEqual([]);
  });

  test('with wrong arguments rejects, and starts nothing', async () => {
    const { cluster } = await started({ workers: 1 });
    for (const overrides of [1, { exec: 1 }, { args: 'x' }]) {
      await expect(cluster.reload(overrides)).rejects.toMatchObject({ code: 'ERR_INVALID_ARG_TYPE' });
    }
    expect(idsOf(cluster)).toEqual([1]);
  });
});

describe('a worker is replaced', () => {
  test('once it has served maxRequests, and no client notices', async () => {
    const { cluster, target } = await started({ workers: 1, maxRequests: 20 });
    const retired = once(cluster, 'retire');
    const agent = keepAliveAgent();
    const workers = new Set();
    while (!workers.has(2)) workers.add((await get({ ...target, agent })).worker);
    expect((await retired)[1]).toBe('requests');
    expect(cluster.stats()).toMatchObject({ retired: 1, restarts: 0 });
  });

  test('once its memory is over maxMemory', async () => {
    const { cluster } = await started({ workers: 1, maxMemory: 1 });
    const [worker, reason] = await once(cluster, 'retire');
    expect([worker.id, reason]).toEqual([1, 'memory']);
    await ended(cluster, [1]);
  });

  test('when its program closes the server', async () => {
    const { cluster, target } = await started({ workers: 1 });
    const draining = once(cluster, 'draining');
    expect((await get({ ...target, path: '/close' })).worker).toBe(1);
    expect((await draining)[0].id).toBe(1);
    await ended(cluster, [1]);
    expect((await get(target)).worker).toBe(2);
  });
});
