'use strict';

// What the programs of bench/messages share: messages to send, so many in flight, each reply checked, rates printed.
// Their command line is PROGRAM MODULE SERIALIZATION CONTENT IN_FLIGHT SECONDS.

const { processorMicroseconds } = require('../lib/process_status.js');

// Long enough for an engine to have compiled what is hot, and for its heap to have grown.
const WARM_UP_SECONDS = 1;
const MEGABYTE = 1 << 20;

// Every id has seven digits, so that every message is as long as the others.
const FIRST_ID = 1_000_000;
const BODY = 'x'.repeat(22);

// 65 bytes as JSON, made anew each time as a program would.
const json = {
  make: (id) => ({ id, name: 'request', body: BODY }),
  matches: (reply, id) => reply.id === id && reply.body.length === BODY.length,
};

// A buffer carries its id in its first four bytes, and is used again once its echo has come.
function bytes(size, inFlight) {
  const buffers = Array.from({ length: inFlight }, () => Buffer.alloc(size, 'x'));
  return {
    make(id) {
      const buffer = buffers[id % inFlight];
      buffer.writeUInt32LE(id);
      return buffer;
    },
    matches: (reply, id) =>
      reply.length === size &&
      (reply[0] | (reply[1] << 8) | (reply[2] << 16) | (reply[3] << 24)) === id &&
      reply[size - 1] === 0x78,
  };
}

function contentOf({ content, serialization, inFlight }) {
  if (content === 'megabyte') return bytes(MEGABYTE, inFlight);
  // A channel without a serialization carries the same number of bytes.
  return serialization === 'raw' ? bytes(65, inFlight) : json;
}

function readArguments() {
  const [module_, serialization, content, inFlight, seconds] = process.argv.slice(2);
  return { module: module_, serialization, content, inFlight: Number(inFlight), seconds: Number(seconds) };
}

// Sends with `send`, and returns the function that takes a reply. `pid` is the process that echoes, if it is another.
// Prints a line of JSON at the end, then calls `end`.
function startExchange(work, { send, pid, end }) {
  const { make, matches } = contentOf(work);
  let replies = 0;
  let expected = FIRST_ID;
  let next = FIRST_ID;
  let began;

  const processorTime = () => {
    const { user, system } = process.cpuUsage();
    return user + system + (pid === undefined ? 0 : processorMicroseconds(pid));
  };
  const mark = () => ({ replies, time: performance.now(), processorTime: processorTime() });
  const sendNext = () => send(make(next++));

  function report() {
    const ended = mark();
    const messages = ended.replies - began.replies;
    if (messages === 0) throw new Error('no reply has come');
    const messagesPerSecond = (messages / (ended.time - began.time)) * 1000;
    const processorMicroseconds = (ended.processorTime - began.processorTime) / messages;
    console.log(JSON.stringify({ messagesPerSecond, processorMicroseconds }));
    end();
  }

  setTimeout(() => {
    began = mark();
    setTimeout(report, work.seconds * 1000);
  }, WARM_UP_SECONDS * 1000);
  for (let i = 0; i < work.inFlight; i++) sendNext();

  return function onReply(reply) {
    if (!matches(reply, expected)) throw new Error(`reply ${expected - FIRST_ID} is not what was sent`);
    expected += 1;
    replies += 1;
    sendNext();
  };
}

// The same with a child process, which ends with the exchange and not before.
function exchangeWithChild(work, child, send) {
  child.once('exit', (code, signal) => {
    throw new Error(`the child ended with ${signal ?? code}`);
  });
  const end = () => {
    child.kill('SIGKILL');
    process.exit();
  };
  return startExchange(work, { send, pid: child.pid, end });
}

module.exports = { exchangeWithChild, readArguments, startExchange };
