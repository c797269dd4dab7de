import { describe, expect, test } from 'vitest';
import { address, PeerStage } from './peer-stage.ts';

describe('a call', () => {
  test('opens the link, waits for it, and is answered', async () => {
    const stage = new PeerStage();
    stage.call('a');
    expect([stage.served, stage.told]).toEqual([[], []]);
    await stage.clock.settle();
    expect(stage.served).toEqual([expect.objectContaining({ method: 'do', body: { label: 'a' } })]);
    expect(stage.served[0]!.instanceId, 'of who asks').toBe('opener/1@a:1');
    await stage.answer({ done: true });
    expect(stage.told).toEqual(['a {"done":true}']);
  });

  test('of many is started in their order, and answered in any', async () => {
    const stage = new PeerStage();
    stage.isOpeningHeld = true;
    for (const label of ['a', 'b']) stage.call(label);
    await stage.clock.settle();
    stage.openings[0]!();
    await stage.clock.settle();
    for (const label of ['c', 'd']) stage.call(label);
    await stage.clock.settle();
    expect(stage.pairs.length, 'one link for all').toBe(1);
    expect(stage.served.map(({ body }) => body)).toEqual(['a', 'b', 'c', 'd'].map((label) => ({ label })));
    for (const { body, reply } of stage.served.reverse()) reply(body);
    await stage.clock.settle();
    expect(stage.told).toEqual(['d', 'c', 'b', 'a'].map((label) => `${label} {"label":"${label}"}`));
  });

  test('that arrives twice is started once, and replied to once', async () => {
    const stage = await PeerStage.opened();
    stage.pair.isDoubling = true;
    for (const label of ['a', 'b']) stage.call(label);
    await stage.clock.settle();
    expect(stage.served.length).toBe(2);
    for (const { reply } of stage.served) reply(1);
    await stage.clock.settle();
    expect(stage.told).toEqual(['a 1', 'b 1']);
  });

  test('gets no answer when its time is up, never before, and not the one that comes later', async () => {
    const stage = await PeerStage.opened();
    stage.call('short', 105);
    stage.call('long', 300);
    await stage.clock.advance(104);
    expect(stage.told).toEqual([]);
    await stage.clock.advance(12);
    expect(stage.told).toEqual(['short no-answer']);
    await stage.answer('late');
    await stage.answer('in time');
    expect(stage.told).toEqual(['short no-answer', 'long "in time"']);
    await stage.clock.advance(1_000);
    expect(stage.told.length).toBe(2);
  });

  test('whose answer waits in the socket when this process has stood still is answered', async () => {
    const stage = await PeerStage.opened();
    stage.call('a', 100);
    await stage.clock.settle();
    stage.standStill();
    await stage.answer('in time');
    await stage.clock.advance(200);
    expect(stage.told).toEqual(['a "in time"']);
  });

  test.each([
    ['before it was sent', true, 'not-sent'],
    ['after it was sent', false, 'no-answer'],
  ])('on a link that ends %s', async (_when, isOpeningHeld, failure) => {
    const stage = new PeerStage();
    stage.isOpeningHeld = isOpeningHeld;
    stage.call('a');
    await stage.clock.settle();
    if (isOpeningHeld) {
      stage.unreachable = 'nobody there';
      stage.openings[0]!();
    } else stage.pair.break('cut');
    await stage.clock.settle();
    expect(stage.told).toEqual([`a ${failure}`]);
    expect(stage.clock.delaysMs, 'no timer is left').toEqual([]);
    await stage.clock.advance(5_000);
    expect(stage.told.length, 'once').toBe(1);
  });

  test('whose time is up while the link opens was not sent, and is not sent later', async () => {
    const stage = new PeerStage();
    stage.isOpeningHeld = true;
    stage.call('a', 50);
    stage.call('b', 500);
    await stage.clock.advance(100);
    expect(stage.told).toEqual(['a not-sent']);
    stage.openings[0]!();
    await stage.clock.settle();
    expect(stage.served.map(({ body }) => body)).toEqual([{ label: 'b' }]);
  });

  test('is never replied to before it returns', async () => {
    const stage = new PeerStage({ callsMax: 1 });
    for (const label of ['a', 'too many']) stage.call(label);
    expect(stage.told).toEqual([]);
    stage.links.close();
    expect(stage.told).toEqual(['a not-sent']);
    stage.call('closed');
    expect(stage.told.length).toBe(1);
    await stage.clock.settle();
    expect(stage.told).toEqual(['a not-sent', 'too many not-sent', 'closed not-sent']);
  });
});

describe('bounds', () => {
  test('calls that wait, sent or not: one more is not sent, until one is answered', async () => {
    const stage = await PeerStage.opened({ callsMax: 2 });
    for (const label of ['a', 'b', 'c']) stage.call(label);
    await stage.clock.settle();
    expect(stage.told).toEqual(['c not-sent']);
    await stage.answer(1);
    stage.call('d');
    await stage.clock.settle();
    expect(stage.served.map(({ body }) => body)).toEqual([{ label: 'b' }, { label: 'd' }]);
  });

  test('bytes that wait for the network: calls are not sent meanwhile', async () => {
    const stage = await PeerStage.opened({ queuedBytesMax: 1_000 });
    stage.pair.opener.queuedBytes = 1_001;
    stage.call('a');
    await stage.clock.settle();
    stage.pair.opener.queuedBytes = 1_000;
    stage.call('b');
    await stage.clock.settle();
    await stage.answer(1);
    expect(stage.told).toEqual(['a not-sent', 'b 1']);
  });
});

describe('a node that can’t be reached', () => {
  test('is left alone for a while that grows; calls are not sent at once', async () => {
    const stage = new PeerStage();
    stage.unreachable = 'connection refused';
    // 100 ms and half of what it may be more: of 100, 300, 700 and then 900.
    for (const [failures, pauseMs] of [150, 250, 450, 550, 550].entries()) {
      const told = stage.told.length;
      stage.isOpeningHeld = true;
      stage.call('opens');
      await stage.clock.settle();
      expect([stage.openings.length, stage.told.length]).toEqual([1, told]);
      stage.isOpeningHeld = false;
      stage.openings.pop()!();
      await stage.clock.settle();
      await stage.clock.advance(pauseMs - 1);
      stage.call('pauses');
      await stage.clock.settle();
      expect([stage.told.length, stage.attempts]).toEqual([told + 2, failures + 1]);
      await stage.clock.advance(1);
    }
    expect(new Set(stage.told)).toEqual(new Set(['opens not-sent', 'pauses not-sent']));
    expect(stage.notices).toEqual(['A node can’t be reached: b:1: connection refused']);
  });

  test('and comes back is tried at once when its link breaks, and left alone for a short while again', async () => {
    const stage = new PeerStage();
    const callAs = async (label: string, unreachable: string | undefined) => {
      stage.unreachable = unreachable;
      stage.call(label);
      await stage.clock.settle();
      stage.served.shift()?.reply(1);
      await stage.clock.settle();
    };
    await callAs('a', 'connection refused');
    await stage.clock.advance(150);
    await callAs('b', undefined);
    stage.pair.break('cut');
    await stage.clock.settle();
    await callAs('c', 'connection refused');
    expect(stage.attempts).toBe(3);
    await stage.clock.advance(150);
    await callAs('d', undefined);
    expect(stage.told).toEqual(['a not-sent', 'b 1', 'c not-sent', 'd 1']);
  });
});

describe('a link', () => {
  test('that is silent, though it is pinged, is given up with all its calls', async () => {
    const stage = await PeerStage.opened();
    await stage.clock.advance(5_000);
    expect(stage.links.isHeardOf(address, 500), 'it answers pings').toBe(true);
    stage.pair.isStuck = true;
    stage.call('a', 10_000);
    await stage.clock.advance(1_400);
    expect([stage.told, stage.links.isHeardOf(address, 1_500)]).toEqual([[], true]);
    expect(stage.links.isHeardOf(address, 1_000)).toBe(false);
    await stage.clock.advance(200);
    expect([stage.told, stage.links.isHeardOf(address, 9_999)]).toEqual([['a no-answer'], false]);
    expect(stage.notices).toEqual(['The link to the node at b:1 has broken: it is silent for 1500 ms']);
    stage.call('b');
    await stage.clock.settle();
    expect(stage.pairs.length, 'a new one').toBe(2);
  });

  test('whose input waits in the socket when this process has stood still is not silent', async () => {
    const stage = await PeerStage.opened({ pingEveryMs: 10_000 });
    await stage.clock.advance(1_100);
    stage.call('a', 10_000);
    await stage.clock.settle();
    stage.standStill();
    await stage.answer(1);
    await stage.clock.advance(500);
    expect([stage.told, stage.pair.opener.isOpen]).toEqual([['a 1'], true]);
  });

  test('whose calls take long is not silent', async () => {
    const stage = await PeerStage.opened();
    stage.call('a', 10_000);
    await stage.clock.advance(9_000);
    await stage.answer(1);
    expect(stage.told).toEqual(['a 1']);
  });

  test('that nobody uses for a minute is closed; calls and streams that are open use it', async () => {
    const stage = await PeerStage.opened();
    const subscription = stage.subscribe();
    await stage.clock.advance(100_000);
    expect(stage.pair.opener.isOpen).toBe(true);
    subscription.end();
    await stage.clock.advance(59_000);
    expect(stage.pair.opener.isOpen).toBe(true);
    await stage.clock.advance(2_000);
    expect(stage.pair.opener.isOpen).toBe(false);
    expect([stage.notices, stage.clock.delaysMs], 'nothing is left of it').toEqual([[], []]);
  });

  test('that somebody uses now and then is kept', async () => {
    const stage = await PeerStage.opened();
    for (const label of ['a', 'b', 'c']) {
      await stage.clock.advance(59_000);
      stage.call(label);
      await stage.clock.settle();
      await stage.answer(1);
    }
    expect([stage.told.length, stage.pairs.length]).toEqual([3, 1]);
  });

  test('that is pinged seldom is given up no later for that', async () => {
    const stage = await PeerStage.opened({ pingEveryMs: 1_000, silenceMaxMs: 1_300 });
    stage.pair.isStuck = true;
    await stage.clock.advance(1_299);
    expect(stage.pair.opener.isOpen).toBe(true);
    await stage.clock.advance(1);
    expect(stage.pair.opener.isOpen).toBe(false);
  });

  test('whose callers call again while it ends: they get the next link', async () => {
    const stage = await PeerStage.opened();
    stage.call('a', 1_000, () => stage.call('again'));
    await stage.clock.settle();
    stage.pair.break('cut');
    await stage.clock.settle();
    stage.served.shift();
    await stage.answer(1);
    expect(stage.told).toEqual(['a no-answer', 'again 1']);
  });

  test('that opens when all is closed is closed', async () => {
    const stage = new PeerStage();
    stage.isOpeningHeld = true;
    stage.call('a');
    stage.links.close();
    stage.openings[0]!();
    await stage.clock.settle();
    expect([stage.told, stage.served, stage.pair.opener.isOpen]).toEqual([['a not-sent'], [], false]);
  });

  test('ignores what it does not know', async () => {
    const stage = await PeerStage.opened();
    stage.call('a');
    await stage.clock.settle();
    for (const message of [null, 7, 'x', [], {}, { reply: 99 }, { reply: '2' }, { news: 1 }, { stream: 5 }]) {
      stage.pair.opener.take(message);
    }
    for (const message of [null, 7, {}, { call: 'x' }, { call: 99 }, { subscribe: 3 }, { unsubscribe: 8 }]) {
      stage.pair.server.take(message);
    }
    expect([stage.told, stage.served.length]).toEqual([[], 1]);
    stage.pair.opener.take({ reply: 2, answer: 1, more: true });
    expect(stage.told).toEqual(['a 1']);
  });
});

describe('a node that is about to stop', () => {
  test('answers what it was asked, is asked nothing more, and the link is closed', async () => {
    const stage = await PeerStage.opened();
    const subscription = stage.subscribe();
    stage.call('a');
    await stage.clock.settle();
    stage.endpoint.leave();
    await stage.clock.settle();
    expect([subscription.ends, stage.told]).toEqual([1, []]);
    stage.call('b');
    await stage.clock.settle();
    expect([stage.told, stage.pairs.length, stage.pair.opener.isOpen]).toEqual([['b not-sent'], 1, true]);
    await stage.answer(1);
    expect([stage.told, stage.pair.opener.isOpen]).toEqual([['b not-sent', 'a 1'], false]);
  });

  test('and never answers: the time limit closes the link', async () => {
    const stage = await PeerStage.opened();
    stage.call('a', 100);
    await stage.clock.settle();
    stage.endpoint.leave();
    await stage.clock.advance(90);
    expect(stage.pair.opener.isOpen).toBe(true);
    await stage.clock.advance(30);
    expect([stage.told, stage.pair.opener.isOpen]).toEqual([['a no-answer'], false]);
  });

  test('ends a link that has nothing open, and one that opens later', async () => {
    const stage = await PeerStage.opened();
    stage.endpoint.leave();
    await stage.clock.settle();
    expect(stage.pair.opener.isOpen).toBe(false);
    await stage.clock.advance(150);
    stage.call('a');
    await stage.clock.settle();
    await stage.answer(1);
    expect([stage.told, stage.pairs.length, stage.pair.opener.isOpen]).toEqual([['a 1'], 2, false]);
  });

  test('and has been started again has a new link, which outlives the old one', async () => {
    const stage = await PeerStage.opened();
    const [old] = stage.pairs;
    stage.call('a');
    await stage.clock.settle();
    old!.opener.take({ leave: true });
    await stage.clock.advance(150);
    stage.call('b');
    await stage.clock.settle();
    await stage.answer(1);
    expect([stage.told, old!.opener.isOpen]).toEqual([['a 1'], false]);
    stage.call('c');
    await stage.clock.settle();
    await stage.answer(2);
    await stage.answer(3);
    expect([stage.told, stage.pairs.length]).toEqual([['a 1', 'b 2', 'c 3'], 2]);
  });

  test('says so on the channels that are open', async () => {
    const stage = await PeerStage.opened();
    stage.pair.break('cut');
    await stage.clock.settle();
    stage.endpoint.leave();
    expect(stage.pair.server.sent.at(-1)).toEqual({ reply: 1, answer: 'yes' });
  });

  test('closes with the links that are leaving', async () => {
    const stage = await PeerStage.opened();
    stage.call('a');
    await stage.clock.settle();
    stage.endpoint.leave();
    await stage.clock.settle();
    stage.links.close();
    expect(stage.told).toEqual(['a no-answer']);
  });
});

test('the serving end closes a channel that is silent, and stops its streams', async () => {
  const stage = await PeerStage.opened({ silenceMaxMs: 100_000 });
  stage.subscribe();
  await stage.clock.settle();
  stage.pair.isStuck = true;
  await stage.clock.advance(4_900);
  expect([stage.streams[0]!.stops, stage.pair.server.isOpen]).toEqual([0, true]);
  await stage.clock.advance(700);
  expect([stage.streams[0]!.stops, stage.pair.server.isOpen]).toEqual([1, false]);
});

test('the serving end takes its own standing still for no silence', async () => {
  const stage = await PeerStage.opened({ pingEveryMs: 20_000, silenceMaxMs: 20_000 });
  await stage.clock.advance(2_000);
  stage.standStill();
  stage.call('a', 20_000);
  await stage.clock.advance(2_900);
  expect(stage.served).toEqual([]);
  await stage.clock.advance(200);
  expect([stage.served.length, stage.pair.server.isOpen]).toEqual([1, true]);
});
