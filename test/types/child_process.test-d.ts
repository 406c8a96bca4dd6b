import { expectAssignable, expectError, expectType } from 'tsd';
import * as node from 'node:child_process';
import { Readable, Writable } from 'node:stream';
import { promisify } from 'node:util';

import {
  ChildProcess,
  ResourceUsage,
  RunResult,
  exec,
  execFile,
  execFileSync,
  execSync,
  fork,
  parent,
  run,
  spawn,
  spawnSync,
} from '../../types/child_process';
import { Channel } from '../../types/channel';
import { Descriptor } from '../../types/descriptors';
import * as net from '../../types/net';
import { watchSignal } from '../../types/signals';

const child = spawn('ls', ['-l'], { uid: 'daemon', groups: ['wheel', 4], rlimits: { nofile: [64, 128], core: 0 } });
expectType<Writable>(child.stdin);
expectType<Readable>(child.stdout);
expectType<ResourceUsage | null>(child.resourceUsage);
expectType<number | null>(child.pidfd());
expectType<boolean>(child.kill('SIGTERM', { tree: true }));
expectType<Promise<void>>(child[Symbol.asyncDispose]());
expectAssignable<node.ChildProcess>(child);
expectType<Readable | null>(spawn('ls', { stdio: ['ignore', 'fifo', 1] }).stdout);

expectAssignable<ChildProcess>(
  spawn('x', { umask: 0o22, processGroup: true, priority: 5, engine: 'uv', closeOn: 'exit' }),
);
expectError(spawn('x', { umask: true }));
expectError(spawn('x', { engine: 'fork' }));
expectError(spawn('x', { rlimits: { files: 3 } }));
expectError(spawn('x', { closeOn: 'end' }));

exec('ls', { forceKillAfter: 100 }, (error, stdout) => {
  expectType<string>(stdout);
  expectType<string | undefined>(error?.step);
});
execFile('ls', [], { encoding: 'buffer' }, (_, stdout) => expectType<Buffer>(stdout));
promisify(exec)('ls').then((output) => expectType<string>(output.stdout));

expectType<Buffer>(execSync('ls'));
expectType<string>(execFileSync('ls', [], { encoding: 'utf8', umask: '022' }));
expectType<string>(spawnSync('ls', { encoding: 'utf8' }).stdout);
expectType<ResourceUsage | null>(spawnSync('ls').resourceUsage);

expectType<Promise<RunResult>>(run('ls').then((result) => result));
run('ls', [], { encoding: 'buffer' }).then((result) => expectType<Buffer>(result.stdout));

async function lines() {
  for await (const line of run('ls')) expectType<string>(line);
}
lines();

const watcher = watchSignal('SIGUSR1', (name) => expectType<NodeJS.Signals>(name));
expectType<void>(watcher.stop());
expectError(watchSignal('SIGUSR1'));

const forked = fork('x.js', ['a'], { serialization: 'advanced', handleTimeout: 1000, umask: 0o22, silent: true });
expectType<ChildProcess>(forked);
expectType<Channel | null>(forked.pipewrightChannel);
expectType<boolean>(forked.send('x', new net.Server(), { keepOpen: true }, (error) => expectType<Error | null>(error)));
expectType<boolean>(forked.send({ a: 1 }, new Descriptor(3)));
expectError(forked.send('x', 'y'));
fork(new URL('file:///x.js'), { stdio: ['ignore', 1, 'fifo', 'ipc'], pipewrightChannel: { serialization: 'raw' } });
expectError(fork('x.js', { serialization: 'raw' }));
expectType<Channel | null>(parent({ maxMessageBytes: 10 }));
expectError(parent({ serialization: 'json' }));
