'use strict';

// The native classes and functions underneath: every method, right and wrong, upon
// handles that are open, closing, closed, or were never opened.

const { isUint8Array } = require('node:util').types;
const { isMainThread } = require('node:worker_threads');
const binding = require('../../../lib/base/binding');
const { Descriptor, socketpair } = require('../../../lib/descriptors');
const { detach } = require('../values');

const CLASSES = ['Listener', 'MessageSocket', 'PipeWrap', 'ProcessWrap', 'SignalWrap', 'TcpWrap'];
const TYPES = [1, 2, 5]; // SOCK_STREAM, SOCK_DGRAM, SOCK_SEQPACKET
const HUGE = new Array(2 ** 32 - 1);

function install(run) {
  run.kind('binding', (handle) => handle.close());
  // Whoever sends a bare number keeps it open until it was sent; these are, to the end.
  run.kind('lent', (descriptor) => descriptor.close());
  for (const descriptor of socketpair()) run.add('lent', descriptor);
}

const own = (run, fd) => run.add('descriptor', new Descriptor(fd));

// A number that the callee owns if it takes it. A thread that is terminated meanwhile
// would leave it open.
function give(run, take) {
  const descriptor = run.pick('descriptor');
  if (!isMainThread || descriptor === undefined || !descriptor.isOpen) return;
  const fd = descriptor.take();
  if (take(fd) !== 0) own(run, fd);
}

const numbers = (run) => Int32Array.from([run.pick('lent').fd, run.values.chance(10) ? -1 : run.pick('lent').fd]);

const spawnArguments = (run) => {
  const { values } = run;
  const wrong = () => (values.chance(3) ? HUGE : values.wrong());
  const options = { file: values.maybe('true'), args: values.maybe(['true']) };
  for (const name of ['args', 'envPairs', 'groups', 'rlimits', 'cwd', 'uid', 'umask', 'engine', 'timeout']) {
    if (values.chance(15)) options[name] = wrong();
  }
  return [options, values.chance(15) ? wrong() : values.maybe([-1, -1, -1])];
};

// By method, what it may be given.
const ARGUMENTS = {
  bind: (run) => (run.values.flag() ? ['127.0.0.1', 0] : [run.name()]),
  connect: (run) => (run.values.flag() ? ['127.0.0.1', 1] : [run.name()]),
  create: (run) => [run.values.one(TYPES), run.values.flag()],
  joinGroup: (run) => [run.pick('binding')],
  kill: (run) => [run.values.one([0, 9, 15])],
  listenOnAddress: () => [{ address: '127.0.0.1', port: 0 }],
  listenOnPath: (run) => [{ path: run.name(), replaceStale: run.values.flag(), mode: 0o600 }],
  sendDescriptors: (run) => [numbers(run), 1 + run.random(3)],
  receive: (run) => [run.random(5)],
  send: (run) => [run.values.bytes(), run.values.chance(3) ? numbers(run) : null, run.name()],
  setKeepAlive: () => [true, 10],
  setMaxDescriptors: (run) => [run.random(254)],
  setNoDelay: () => [true],
  setPlainBytes: (run) => [run.random(1000)],
  spawn: (run) => spawnArguments(run),
  start: (run) => [run.values.one([28, 10])], // SIGWINCH, SIGUSR1
  useUserBuffer: (run) => [run.values.bytes()],
  writeBuffer: (run) => [run.values.bytes(), run.values.chance(3) ? numbers(run) : undefined],
  writeBuffers: (run) => [run.values.buffers(), run.values.chance(3) ? [numbers(run)] : undefined],
  writeScratch: (run) => [run.random(100)],
  writeLatin1String: (run) => [run.values.text()],
  writeUtf8String: (run) => [run.values.text()],
};

// What a method gives that is the caller's to close.
const RESULTS = {
  detach: (run, fd) => fd >= 0 && own(run, fd),
  takeDescriptors: (run, fds) => Array.isArray(fds) && fds.forEach((fd) => own(run, fd)),
  takeMessages: (run, list) =>
    Array.isArray(list) && list.forEach(({ descriptors }) => descriptors?.forEach((fd) => own(run, fd))),
};

// They take a descriptor over; a number that is no open one is all the others give them.
const TAKES_DESCRIPTOR = new Set(['open', 'listenOnFd', 'reject']);

function methodsOf(handle) {
  const names = new Set();
  for (
    let proto = Object.getPrototypeOf(handle);
    Object.getPrototypeOf(proto) !== null;
    proto = Object.getPrototypeOf(proto)
  ) {
    for (const name of Object.getOwnPropertyNames(proto)) {
      if (typeof Object.getOwnPropertyDescriptor(proto, name).value === 'function') names.add(name);
    }
  }
  names.delete('constructor');
  return [...names].filter((name) => !name.startsWith('on')).sort();
}

function newHandle(run) {
  const name = run.values.one(CLASSES);
  return run.add('binding', listenTo(run, new binding[name]()));
}

function listenTo(run, handle) {
  handle.onconnection = (status, fd) => {
    if (status !== 0) return;
    const peer = new binding.PipeWrap();
    if (run.values.chance(3)) handle.reject(fd);
    else if (peer.open(fd) !== 0) handle.reject(fd);
    else run.add('binding', peer);
    run.throwSometimes(20);
  };
  handle.ondescriptors = (fds) => fds.forEach((fd) => own(run, fd));
  handle.onmessages = (list) => RESULTS.takeMessages(run, list);
  handle.onread = () => run.throwSometimes(100);
  for (const event of ['onwrite', 'onconnect', 'onshutdown', 'onexit', 'onsignal', 'onsent']) handle[event] = () => {};
  return handle;
}

function call(run, handle, method) {
  const { values } = run;
  if (TAKES_DESCRIPTOR.has(method)) {
    if (values.chance(3)) return void handle[method](values.wrong(), values.wrong());
    if (method === 'reject') return;
    return void give(run, (fd) => handle[method](fd, 1));
  }
  const args = ARGUMENTS[method]?.(run) ?? (values.chance(3) ? [values.wrong()] : []);
  if (values.chance(4)) args[run.random(args.length + 1)] = values.chance(8) ? HUGE : values.wrong();
  const result = handle[method](...args);
  RESULTS[method]?.(run, result);
  if (method === 'useUserBuffer' && isUint8Array(args[0]) && values.chance(3)) detach(args[0]);
}

const FUNCTIONS = [
  'allowDescriptors',
  'claimDescriptor',
  'closeFd',
  'closeInBackground',
  'closeOnExec',
  'descriptorType',
  'duplicateFd',
  'getFlags',
  'leaveDescriptor',
  'peerCredentials',
  'pipe',
  'setBlocking',
  'socketName',
  'socketPair',
  'spawnSync',
  'stdioSocketPair',
  'trackFd',
  'untrackFd',
].filter((name) => typeof binding[name] === 'function');

const OPERATIONS = {
  'new handle': (run) => newHandle(run),
  'binding.socketPair': (run) => {
    const pair = binding.socketPair(run.values.one(TYPES));
    const handles = pair.map(() => listenTo(run, new binding[run.values.one(['PipeWrap', 'MessageSocket'])]()));
    handles.forEach((handle, i) =>
      handle.open(pair[i]) === 0 ? run.add('binding', handle).readStart() : own(run, pair[i]),
    );
  },
  'a function, wrongly': (run) => {
    const name = run.values.one(FUNCTIONS);
    const result = binding[name](run.values.wrong(), run.values.wrong());
    // pipe() and stdioSocketPair() take nothing.
    if (Array.isArray(result)) result.forEach((fd) => own(run, fd));
  },
  'binding.spawnSync': (run) => {
    const { values } = run;
    const rest = [values.maybe([0, 1]), values.maybe([values.bytes()])];
    if (values.chance(15)) rest[run.random(2)] = values.chance(3) ? HUGE : values.wrong();
    binding.spawnSync(...spawnArguments(run), ...rest);
  },
};
for (const number of [1, 2, 3, 4]) {
  OPERATIONS[`a method (${number})`] = (run) => {
    const handle = run.pick('binding');
    if (handle === undefined) return;
    const method = run.values.one(methodsOf(handle));
    run.log(`  ${handle.constructor.name}.${method}`);
    call(run, handle, method);
  };
}

module.exports = { OPERATIONS, install };
