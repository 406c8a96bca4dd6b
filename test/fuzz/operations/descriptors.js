'use strict';

// Descriptors, passers, and datagram sockets.

const fs = require('node:fs');
const { isMainThread } = require('node:worker_threads');
const dgram = require('../../../lib/dgram');
const { Descriptor, DescriptorPasser, socketpair, toDescriptor } = require('../../../lib/descriptors');
const { keepSocket } = require('./net');

function install(run) {
  run.kind('descriptor', (descriptor) => descriptor.close());
  run.kind('passer', (passer) => passer.close());
  run.kind('datagram', (socket) => socket.close());
  run.kind('token', (token) => Descriptor.from(token).close());
}

const PASSER_OPTIONS = (run) => ({
  batch: run.values.maybe(1 + run.random(4)),
  maxDescriptors: run.values.maybe(4),
  setNonBlocking: run.values.flag(),
});

const keepPasser = (run, passer) => run.add('passer', run.watch('passer', passer));
const keepDescriptor = (run, descriptor) => run.add('descriptor', descriptor);

function keepDatagram(run, socket) {
  run.watch('datagram', socket);
  socket.on('message', (_, { descriptors }) => {
    for (const descriptor of descriptors ?? []) keepDescriptor(run, descriptor);
    run.throwSometimes(100);
  });
  socket.on('connection', (peer) => keepDatagram(run, peer));
  return run.add('datagram', socket);
}

const anything = (run) =>
  run.values.one([
    () => run.pick('descriptor'),
    () => run.pick('socket'),
    () => run.pick('server'),
    () => run.pick('passer'),
    () => run.pick('child'),
    () => run.values.wrong(),
  ])();

// What it was turned into owns it now.
function convert(run, convertIt, keep) {
  const descriptor = run.pick('descriptor');
  if (descriptor === undefined) return;
  keep(convertIt(descriptor));
}

const ON_DESCRIPTOR = {
  close: (run, descriptor) => descriptor.close(),
  type: (run, descriptor) => [descriptor.type, descriptor.fd, descriptor.isOpen, descriptor.isNonBlocking],
  isNonBlocking: (run, descriptor) => (descriptor.isNonBlocking = run.values.flag()),
  duplicate: (run, descriptor) => keepDescriptor(run, descriptor.duplicate()),
  // A thread that is terminated in between would leave it open.
  'take and own': (run, descriptor) => isMainThread && keepDescriptor(run, new Descriptor(descriptor.take())),
  transfer: (run, descriptor) => run.add('token', descriptor.transfer()),
};

const ON_PASSER = {
  send: (run, passer) => run.settle('passer.send', passer.send(anything(run), { keep: run.values.maybe(true) })),
  'send often': (run, passer) => {
    const descriptor = run.pick('descriptor');
    for (let i = 0; i < 30; i++) run.settle('passer.send', passer.send(descriptor, { keep: true }));
  },
  receive: (run, passer) => run.settle('passer.receive', passer.receive(), (got) => keepDescriptor(run, got)),
  'receive by callback': (run, passer) =>
    passer.receive((error, descriptor) => {
      if (error) run.checkError('passer.receive', error);
      else keepDescriptor(run, descriptor);
      run.throwSometimes(50);
    }),
  end: (run, passer) => run.settle('passer.end', passer.end()),
  close: (run, passer) => passer.close(),
  detach: (run, passer) => keepDescriptor(run, passer.detach()),
  stats: (run, passer) => [passer.stats(), passer.fd, passer.closed],
  parent: (run, passer) => passer.parent(),
  child: (run, passer) => passer.child(),
  unref: (run, passer) => passer.unref(),
  ref: (run, passer) => passer.ref(),
};

const ON_DATAGRAM = {
  bind: (run, socket) => socket.bind(run.values.maybe(run.name())),
  connect: (run, socket) => socket.connect(run.values.maybe(run.name())),
  send: (run, socket) =>
    run.settle('datagram.send', socket.send(run.values.maybe('hello'), run.values.maybe(run.name()))),
  'send connected': (run, socket) => run.settle('datagram.send', socket.send(run.values.maybe(run.values.bytes()))),
  'send descriptors': (run, socket) =>
    run.settle(
      'datagram.send',
      socket.send('with', {
        path: run.values.chance(2) ? run.name() : undefined,
        descriptors: [run.pick('descriptor'), run.values.maybe(run.pick('descriptor'))],
        keep: run.values.flag(),
      }),
    ),
  close: (run, socket) => socket.close(),
  address: (run, socket) => [socket.address(), socket.fd],
  unref: (run, socket) => socket.unref(),
  ref: (run, socket) => socket.ref(),
};

const OPERATIONS = {
  socketpair(run) {
    const type = run.values.maybe(run.values.one(['stream', 'datagram', 'seqpacket']));
    for (const descriptor of socketpair({ type })) keepDescriptor(run, descriptor);
  },
  'open a file': (run) => keepDescriptor(run, new Descriptor(openFile(run))),
  'new Descriptor wrongly': (run) => keepDescriptor(run, new Descriptor(run.values.wrong())),
  'Descriptor.from': (run) => {
    const token = run.pick('token');
    if (token === undefined) return;
    run.drop('token', token);
    keepDescriptor(run, Descriptor.from(token));
  },
  'Descriptor.from wrongly': (run) => Descriptor.from(run.values.wrong()),
  toDescriptor: (run) => keepDescriptor(run, toDescriptor(anything(run))),
  toSocket: (run) => convert(run, (descriptor) => descriptor.toSocket(), (socket) => keepSocket(run, socket)), // prettier-ignore
  'toSocket with descriptors': (run) =>
    convert(
      run,
      (descriptor) => descriptor.toSocket({ descriptors: true }),
      (socket) => keepSocket(run, socket),
    ),
  toServer: (run) =>
    convert(
      run,
      (descriptor) => descriptor.toServer((socket) => keepSocket(run, socket)),
      (server) => run.add('server', run.watch('server', server)),
    ),
  toReadStream: (run) => convert(run, (descriptor) => descriptor.toReadStream(), (stream) => run.watch('file', stream).destroy()), // prettier-ignore
  'DescriptorPasser.pair': (run) => {
    for (const passer of DescriptorPasser.pair(run.values.maybe(PASSER_OPTIONS(run)))) keepPasser(run, passer);
  },
  'new DescriptorPasser': (run) => keepPasser(run, new DescriptorPasser()),
  'new DescriptorPasser of': (run) =>
    keepPasser(run, new DescriptorPasser({ ...PASSER_OPTIONS(run), socket: anythingOwned(run) })),
  'DescriptorPasser.listen and connect': (run) => {
    const name = run.name();
    run.settle('DescriptorPasser.listen', DescriptorPasser.listen({ path: name, replaceStale: true }), (server) => {
      run.add('server', run.watch('server', server));
      run.settle('DescriptorPasser.accept', DescriptorPasser.accept(server), (passer) => keepPasser(run, passer));
    });
    run.settle('DescriptorPasser.connect', DescriptorPasser.connect(name), (passer) => keepPasser(run, passer));
  },
  createSocket: (run) => {
    const options = { type: run.values.maybe(run.values.one(['datagram', 'seqpacket'])), descriptors: run.values.flag(), credentials: run.values.flag() }; // prettier-ignore
    const socket = keepDatagram(run, dgram.createSocket(run.values.maybe(options)));
    if (run.values.flag()) socket.bind(run.name());
  },
  'createSocket of a descriptor': (run) => keepDatagram(run, dgram.createSocket({ socket: run.pick('descriptor') })),
};

function openFile(run) {
  return fs.openSync(run.values.one(['/dev/null', '/proc/self/stat', '/', __filename]), 'r');
}

const anythingOwned = (run) => run.values.one([() => run.pick('descriptor'), () => run.pick('socket')])();

for (const [kind, table] of Object.entries({ descriptor: ON_DESCRIPTOR, passer: ON_PASSER, datagram: ON_DATAGRAM })) {
  for (const [name, operation] of Object.entries(table)) {
    OPERATIONS[`${kind}.${name}`] = (run) => {
      const object = run.pick(kind);
      if (object !== undefined) operation(run, object);
    };
  }
}

module.exports = { OPERATIONS, install };
