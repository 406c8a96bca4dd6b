'use strict';

// Two sides that wait for each other: neither stops reading for ever. And what a channel
// holds meanwhile, and keeps running.

const { once } = require('node:events');
const { setImmediate: turn } = require('node:timers/promises');
const { runFixture } = require('../helpers/child');
const { channelPair, messagesOf } = require('../helpers/channels');

const MESSAGE = 'x'.repeat(20_000);

// Sends first, and reads only then.
async function sendThenRead(channel, count) {
  for (let i = 0; i < count; i++) if (!channel.send(MESSAGE)) await once(channel, 'drain');
  await channel.sent('end');
  return (await messagesOf(channel, count + 1)).length;
}

test("two sides that wait for 'drain' before they read come through", async () => {
  const pair = channelPair();
  expect(await Promise.all(pair.map((channel) => sendThenRead(channel, 100)))).toEqual([101, 101]);
});

test('two sides that await sent() before they read come through', async () => {
  const sendAndRead = async (channel) => {
    for (let i = 0; i < 100; i++) await channel.sent(MESSAGE);
    return (await messagesOf(channel, 100)).length;
  };
  expect(await Promise.all(channelPair().map(sendAndRead))).toEqual([100, 100]);
});

test('a request inside a loop over the messages is answered, whatever came before its reply', async () => {
  const [left, right] = channelPair();
  right.onRequest((message) => message);
  for (let i = 0; i < 100; i++) right.send(MESSAGE);
  const replies = [];
  for await (const received of left) {
    expect(received.message).toBe(MESSAGE);
    replies.push((await left.request(replies.length)).message);
    if (replies.length === 100) break;
  }
  expect(replies).toEqual(Array.from({ length: 100 }, (_, i) => i));
});

test('a request that is made when reading has stopped already is answered', async () => {
  const [left, right] = channelPair();
  right.onRequest(() => 'reply');
  let count = 0;
  while (right.send(MESSAGE)) {
    count += 1;
    await turn();
  }
  expect(await left.request('question')).toMatchObject({ message: 'reply' });
  expect(await messagesOf(left, count + 1)).toHaveLength(count + 1);
});

describe('descriptors that nobody takes', () => {
  const sendMany = (channel, count) => {
    for (let i = 0; i < count; i++) channel.send(i, [0, 0, 0]);
  };

  async function heldAfter(channel, least) {
    while (channel.stats().held < least) await turn();
    for (let i = 0; i < 200; i++) await turn(); // As many reads as there could be.
    return channel.stats().held * 3;
  }

  test('stop the reading, so that a peer does not fill the table', async () => {
    const [left, right] = channelPair();
    sendMany(left, 100);
    expect(await heldAfter(right, 20)).toBeLessThan(64 + 3);
    for (const { descriptors } of await messagesOf(right, 100)) {
      expect(descriptors).toHaveLength(3);
      descriptors.forEach((descriptor) => descriptor.close());
    }
  });

  test('stop it later while a reply is waited for, which comes past them', async () => {
    const [left, right] = channelPair();
    right.onRequest(() => {
      sendMany(right, 100);
      return 'reply';
    });
    expect(await left.request('question')).toMatchObject({ message: 'reply' });
    for (const { descriptors } of await messagesOf(left, 100)) descriptors.forEach((descriptor) => descriptor.close());
    right.onRequest(() => {
      sendMany(right, 200);
      return 'never read';
    });
    const asked = left.request('question', { timeout: 1_000_000 });
    expect(await heldAfter(left, 150)).toBeLessThan(512 + 3);
    left.destroy();
    await expect(asked).rejects.toMatchObject({ code: 'ERR_CHANNEL_CLOSED' });
  });
});

test('the process goes on while a channel holds messages, and while a request may time out', async () => {
  const outcome = await runFixture('channel/keeps_running.js');
  expect(outcome).toMatchObject({ code: 0, stderr: '', timedOut: false });
  expect(outcome.stdout).toBe('taken: 50\nrequest: ERR_CHANNEL_REQUEST_TIMEOUT\nend\n');
});
