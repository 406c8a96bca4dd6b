'use strict';

const fs = require('node:fs');
const net = require('node:net');
const path = require('node:path');
const { spawn } = require('node:child_process');
const { once } = require('node:events');
const { text } = require('node:stream/consumers');
const { Worker } = require('node:worker_threads');
const { closeAll, closing, leaveTest } = require('./closing');
const { outputOf, runFixture, startFixture } = require('./child');
const { isInstalled } = require('./needed_programs');
const { difference, snapshot, waitUntilClean } = require('./leaks');
const { socketPath, temporaryFolder } = require('./socket_path');
const { expectParity, normalise } = require('./transcript');

const ROOT = path.join(__dirname, '../..');

describe('leaks', () => {
  test('names an open descriptor', async () => {
    const before = snapshot();
    const fd = closing(fs.openSync('/dev/zero'));
    expect(await waitUntilClean(before, 20)).toEqual([`descriptor ${fd}: /dev/zero`]);
  });

  test('notices another file under the same number', () => {
    const now = { handles: 0, children: new Map() };
    const before = { ...now, descriptors: new Map([['9', 'socket:[1]']]) };
    const after = { ...now, descriptors: new Map([['9', 'socket:[2]']]) };
    expect(difference(before, after)).toEqual(['descriptor 9: socket:[2]']);
  });

  test('names a child process', async () => {
    const before = snapshot();
    const child = closing(spawn('sleep', ['60'], { stdio: 'ignore' }));
    const left = await waitUntilClean(before, 20);
    expect(left.join()).toMatch(`child process ${child.pid}: sleep`);
  });

  test('counts native handles', () => {
    const now = { ...snapshot(), handles: 1 };
    expect(difference(now, { ...now, handles: 3 })).toEqual(['2 native handles still open']);
  });

  test('blames nothing on the first stream of a program whose output is a file', async () => {
    const file = path.join(temporaryFolder(), 'output');
    const fd = closing(fs.openSync(file, 'w'));
    const { code } = await runFixture('helpers/first_stream.js', [], { stdio: ['ignore', fd, fd] });
    expect([code, fs.readFileSync(file, 'utf8')]).toEqual([0, '[]\n']);
  });

  test('waits for what is being closed', async () => {
    const before = snapshot();
    const server = net.createServer().listen(socketPath());
    await once(server, 'listening');
    setTimeout(() => server.close(), 30);
    expect(await waitUntilClean(before)).toEqual([]);
  });
});

describe('programs that a test needs', () => {
  test('are looked for in PATH', () => {
    expect(isInstalled('sh')).toBe(true);
    expect(isInstalled('no-such-program')).toBe(false);
  });

  // Skipped, or failed in CI, in a program of its own: here either would be a result of ours.
  test.each([
    ['', 0, /1 skipped, 1 total[^]*\n1 skipped for want of programs \(no-such-program\)\..*\n$/],
    ['1', 1, /no-such-program: not installed; scripts\/install_test_tools\.sh does that[^]*1 failed, 1 total/],
  ])('skip it, or with PIPEWRIGHT_REQUIRE_TOOLS=%p fail it', async (required, status, output) => {
    const file = path.join(temporaryFolder(), 'sample.test.js');
    const helper = JSON.stringify(path.join(__dirname, 'needed_programs'));
    fs.writeFileSync(file, `require(${helper}).testNeeding('no-such-program')('is run', () => {});`);
    const { code, stderr } = await runJest(file, { PIPEWRIGHT_REQUIRE_TOOLS: required });
    expect(stderr).toMatch(output);
    expect(code).toBe(status);
  });

  function runJest(file, env) {
    const reporters = ['default', path.join(__dirname, 'run_reporter.js')];
    const config = JSON.stringify({ rootDir: path.dirname(file), transform: {}, reporters });
    const args = [path.join(ROOT, 'node_modules/jest/bin/jest.js'), '-i', '--config', config];
    const child = closing(
      spawn(process.execPath, args, { env: { ...process.env, PIPEWRIGHT_TEST_COUNTS: '', ...env }, cwd: ROOT }),
    );
    return Promise.all([text(child.stderr), once(child, 'exit')]).then(([stderr, [code]]) => ({ code, stderr }));
  }
});

describe('closing', () => {
  test('closes each kind of thing, the last one first', async () => {
    const order = [];
    const before = snapshot();
    const server = net.createServer((socket) => socket.resume()).listen(socketPath());
    await once(server, 'listening');
    const client = net.connect(server.address());
    await once(client, 'connect');
    const worker = new Worker('setInterval(() => {}, 1e3)', { eval: true });
    const things = [() => order.push('first'), server, client, spawn('sleep', ['60']), worker];
    expect(await closeAll([...things, fs.openSync('/dev/null'), () => order.push('last')])).toEqual([]);
    expect(order).toEqual(['last', 'first']);
    expect(await waitUntilClean(before)).toEqual([]);
  });

  test('closes a server with a connection nobody reads, one twice, and one that never listened', async () => {
    const before = snapshot();
    const server = closing(net.createServer()).listen(socketPath());
    await once(server, 'listening');
    const client = closing(net.connect(server.address()));
    client.write('unread');
    await once(server, 'connection');
    const idle = net.createServer();
    expect(await closeAll([server, idle, ...leaveTest()])).toEqual([]);
    expect(await waitUntilClean(before)).toEqual([]);
  });

  test('closes the pipes of a child that has ended', async () => {
    const child = closing(spawn('echo', ['unread']));
    await once(child, 'exit');
  });

  test('goes on after something that cannot be closed', async () => {
    let called = false;
    const problems = await closeAll([() => (called = true), { unknown: true }]);
    expect(problems.map(String)).toEqual([expect.stringContaining('does not know how to close')]);
    expect(called).toBe(true);
  });
});

describe('temporary folders', () => {
  const folders = [];
  afterAll(() => expect(folders.filter((folder) => fs.existsSync(folder))).toEqual([]));

  test('are made with the mode that was asked for', () => {
    folders.push(temporaryFolder(0o755));
    expect(fs.statSync(folders[0]).mode & 0o777).toBe(0o755);
  });

  test('are gone after the test', () => {
    expect(fs.existsSync(folders[0])).toBe(false);
  });
});

describe('fixtures', () => {
  test('give their streams and their status', async () => {
    const result = await runFixture('helpers/report_self.js', [3], { env: { SAMPLE: 'yes' } });
    expect(result).toMatchObject({ code: 3, signal: null, stderr: 'to stderr\n', timedOut: false });
    expect(JSON.parse(result.stdout)).toMatchObject({ env: 'yes', uid: process.getuid() });
  });

  test('run under a limit of open files', async () => {
    const { stdout } = await runFixture('helpers/report_self.js', [], { openFiles: 64 });
    expect(JSON.parse(stdout).limit).toBe('64');
  });

  (process.getuid() === 0 ? test : test.skip)('run as another user', async () => {
    const { stdout } = await runFixture('helpers/report_self.js', [], { uid: 65534, gid: 65534 });
    expect(JSON.parse(stdout)).toMatchObject({ uid: 65534, gid: 65534 });
  });

  test('are killed when their time is over', async () => {
    const result = await runFixture('helpers/report_self.js', [0, 60_000], { timeout: 500 });
    expect(result).toMatchObject({ signal: 'SIGKILL', timedOut: true });
  });

  test('are watched for a piece of output', async () => {
    const child = startFixture('helpers/report_self.js', [0, 60_000]);
    expect(await outputOf(child, 'limit')).toMatch(/^\{/);
    const ended = startFixture('helpers/report_self.js');
    await ended.result;
    await expect(outputOf(ended, 'never')).rejects.toThrow('ended before it wrote never');
  });
});

describe('transcripts', () => {
  test('leave out what differs between two right answers', () => {
    const err = Object.assign(new Error('connect ENOENT /tmp/x/s'), { code: 'ENOENT', address: '/tmp/x/s', port: -1 });
    const values = [err, { pid: 12, fd: null, port: 80 }, Buffer.from('hi'), new net.Socket(), () => {}];
    expect(normalise(values, '/tmp/x')).toEqual([
      { name: 'Error', message: 'connect ENOENT <folder>/s', code: 'ENOENT', address: '<folder>/s', port: -1 },
      { pid: '<pid>', fd: null, port: '<port>' },
      'hi',
      '<Socket>',
      '<function>',
    ]);
  });

  test('are compared', async () => {
    const sample = ([a, b]) => ({ net: () => [a, b] });
    await expectParity('net', async (api, { log }) => log('same', api), sample([1, 1]));
    const differs = expectParity('net', async (api, { log }) => log('differs', api), sample([1, 2]));
    await expect(differs).rejects.toThrow('toEqual');
    await expect(expectParity('net', () => {}, sample([1, 1]))).rejects.toThrow('toHaveLength');
  });
});
