'use strict';

// A handle to a child with process.send(), as often as it goes, one under way at a
// time: Node's own protocol has no more. The child closes each.
// node bench/passing/node.js COUNT; prints { descriptorsPerSecond } of the child.

const { fork } = require('node:child_process');
const net = require('node:net');

const count = Number(process.argv[2]);

function send() {
  const server = net.createServer().listen(0, '127.0.0.1', () => {
    const child = fork(__filename, [count], { env: { ...process.env, BENCH_CHILD: '1' } });
    let left = count;
    (function next() {
      if (left-- > 0) child.send('handle', server, next);
    })();
    child.on('exit', () => server.close());
  });
}

function receive() {
  let came = 0;
  let began;
  process.on('message', (_, server) => {
    began ??= performance.now();
    server.close();
    if (++came < count) return;
    console.log(JSON.stringify({ descriptorsPerSecond: (count / (performance.now() - began)) * 1000 }));
    process.disconnect();
  });
}

if (process.env.BENCH_CHILD === undefined) {
  send();
} else {
  receive();
}
