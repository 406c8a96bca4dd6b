'use strict';

// Listeners, loops and handlers that come and go, in any order and inside each other: each
// message is taken once, and in order.

const { once } = require('node:events');
const v8 = require('node:v8');
const vm = require('node:vm');
const { setImmediate: turn } = require('node:timers/promises');
const { channelPair } = require('../helpers/channels');
const { randomIntegers } = require('../helpers/random');

v8.setFlagsFromString('--expose-gc');
const collectGarbage = vm.runInNewContext('gc');

test('once() and a loop that follows it share the messages', async () => {
  const [left, right] = channelPair();
  for (let i = 0; i < 5; i++) left.send(i);
  const seen = [(await once(right, 'message'))[0]];
  for await (const { message } of right) {
    seen.push(message);
    if (seen.length === 5) break;
  }
  expect(seen).toEqual([0, 1, 2, 3, 4]);
});

test('a loop that begins inside a listener gets what follows', async () => {
  const [left, right] = channelPair();
  const seen = [];
  const done = new Promise((resolve) => {
    right.once('message', async (first) => {
      seen.push(first);
      for await (const { message } of right) {
        seen.push(message);
        if (seen.length === 5) break;
      }
      resolve();
    });
  });
  for (let i = 0; i < 5; i++) left.send(i);
  await done;
  expect(seen).toEqual([0, 1, 2, 3, 4]);
});

test('takers of all kinds, one inside the other, take each message once and in order', async () => {
  const random = randomIntegers();
  const COUNT = 2_000;
  const [left, right] = channelPair();
  const heard = [];
  const iterated = [];
  const asked = [];
  const iterator = right[Symbol.asyncIterator]();
  const hear = (message) => {
    if (heard.at(-1) !== message) heard.push(message); // Several listeners hear the same one.
    if (random(3) === 0) attach();
  };
  function attach() {
    switch (random(4)) {
      case 0:
        right.once('message', hear);
        break;
      case 1:
        right.prependOnceListener('message', hear);
        break;
      case 2:
        right.removeAllListeners();
        right.addListener('message', function one(message) {
          right.removeListener('message', one);
          hear(message);
        });
        break;
      default:
        iterator.next().then(({ value, done }) => done || iterated.push(value.message));
    }
  }
  right.onRequest((number) => {
    asked.push(number);
    if (random(2) === 0) attach();
  });
  const replies = [];
  for (let i = 0; i < COUNT; i++) {
    left.send(i);
    if (i % 10 === 0) replies.push(left.request(i));
    if (i % 20 === 0) await turn();
    if (random(4) === 0) attach();
  }
  while (heard.length + iterated.length < COUNT) {
    attach();
    await turn();
  }
  await Promise.all(replies);
  const ascending = (list) => [...list].sort((a, b) => a - b);
  expect([heard, iterated]).toEqual([ascending(heard), ascending(iterated)]);
  expect(ascending([...heard, ...iterated])).toEqual(Array.from({ length: COUNT }, (_, i) => i));
  expect(asked).toHaveLength(replies.length);
  await iterator.return().then(() => right.removeAllListeners());
});

test.each(['removeAllListeners', 'off'])('a listener that comes after %s() gets what is held', async (method) => {
  const [left, right] = channelPair();
  const first = once(right, 'message');
  left.send(1);
  await first;
  if (method === 'off') for (const name of right.eventNames()) right.off(name, right.listeners(name)[0]);
  else right.removeAllListeners();
  await left.sent(2);
  while (right.stats().held === 0) await turn();
  expect(await once(right, 'message')).toEqual([2, []]);
});

test('a loop keeps none of the messages that it has given', async () => {
  const [left, right] = channelPair();
  const given = [];
  const iterator = right[Symbol.asyncIterator]();
  for (let i = 0; i < 20; i++) {
    const next = iterator.next(); // It waits: what comes goes to this call.
    left.send({ number: i });
    const { value } = await next;
    given.push(new WeakRef(value.message));
  }
  await turn();
  collectGarbage();
  const kept = given.filter((reference) => reference.deref() !== undefined);
  expect(kept.length).toBeLessThan(5); // The last one may be in a register or on a stack.
  await iterator.return();
});
