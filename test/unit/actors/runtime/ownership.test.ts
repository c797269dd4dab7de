import { beforeEach, describe, expect, test } from 'vitest';
import type { ShardId } from '../../../../src/actors/allocator/ids.ts';
import { Ownership } from '../../../../src/actors/runtime/ownership.ts';
import { ManualClock } from './manual-clock.ts';
import { ScriptedStore } from './scripted-store.ts';

const shard = (id: number): ShardId => id as ShardId;

let store: ScriptedStore;
let ownership: Ownership;
beforeEach(async () => {
  store = new ScriptedStore();
  ownership = new Ownership(store, 'node-1');
  await ownership.claim([shard(1), shard(2)]);
});

test('claimed shards are owned under the epochs that the store gave', async () => {
  expect(ownership.standing(shard(1))).toBe('owned');
  expect(ownership.epoch(shard(1))).toBe(1);
  await ownership.claim([shard(1)]);
  expect(ownership.epoch(shard(1))).toBe(2);
});

test('a shard that was never claimed is not ours', () => {
  expect(ownership.standing(shard(9))).toBe('lost');
  expect(() => ownership.epoch(shard(9))).toThrow('only the owner writes');
});

test('I3: epochs never go back', () => {
  expect(() => ownership.adopt([{ shardId: shard(1), epoch: 1 }], 0)).toThrow('I3');
  expect(() => ownership.adopt([{ shardId: shard(1), epoch: 0 }], 0)).toThrow('I3');
});

test.each(['suspect', 'lost'] as const)('nothing is written under a %s shard', (standing) => {
  if (standing === 'lost') ownership.markLost([shard(1), shard(9)]);
  else ownership.markSuspect([shard(1), shard(9)]);
  expect(ownership.standing(shard(1))).toBe(standing);
  expect(() => ownership.epoch(shard(1))).toThrow('only the owner writes');
  expect(ownership.standing(shard(2)), 'the other shard is as it was').toBe('owned');
  expect(ownership.standing(shard(9)), 'a shard of nobody stays so').toBe('lost');
});

describe('renewing', () => {
  test('makes a suspect shard owned again, under a new epoch', async () => {
    ownership.markSuspect([shard(1)]);
    await ownership.renew(shard(1));
    expect([ownership.standing(shard(1)), ownership.epoch(shard(1))]).toEqual(['owned', 2]);
  });

  test('asks the store once, however many ask', async () => {
    ownership.markSuspect([shard(1)]);
    await Promise.all([ownership.renew(shard(1)), ownership.renew(shard(1)), ownership.renew(shard(1))]);
    expect(store.count('renew')).toBe(1);
    expect(ownership.epoch(shard(1))).toBe(2);
  });

  test('can be tried again after it failed', async () => {
    ownership.markSuspect([shard(1)]);
    const renew = store.renewShards.bind(store);
    store.renewShards = () => Promise.reject(new Error('down'));
    await expect(ownership.renew(shard(1))).rejects.toThrow('down');
    expect(ownership.standing(shard(1))).toBe('suspect');
    store.renewShards = renew;
    await ownership.renew(shard(1));
    expect(ownership.standing(shard(1))).toBe('owned');
  });

  test('I3: finds a shard lost that somebody else has by now', async () => {
    ownership.markSuspect([shard(1)]);
    store.takeAway(shard(1));
    await ownership.renew(shard(1));
    expect(ownership.standing(shard(1))).toBe('lost');
  });

  test('I3: never takes back what was lost, nor what is ours', () => {
    expect(() => ownership.renew(shard(2))).toThrow('I3');
    ownership.markLost([shard(1)]);
    expect(() => ownership.renew(shard(1))).toThrow('I3');
  });
});

describe('the store is asked whose the shards are', () => {
  test('what it no longer says is ours is lost, for good; the rest stays as it was', async () => {
    ownership.markSuspect([shard(2)]);
    store.takeAway(shard(1));
    expect(await ownership.confirm()).toEqual([
      { shardId: 1, epoch: 2, owner: 'somebody else' },
      { shardId: 2, epoch: 1, owner: 'node-1' },
    ]);
    expect([1, 2, 9].map((id) => ownership.standing(shard(id)))).toEqual(['lost', 'suspect', 'lost']);
    expect([ownership.lost(), ownership.owned()]).toEqual([[1], [{ shardId: 2, epoch: 1 }]]);
    store.shards.set(shard(1), { epoch: 3, lastBatch: 0, owner: 'node-1' });
    await ownership.confirm();
    expect(ownership.standing(shard(1)), 'I3: not taken back').toBe('lost');
  });

  test('once, however many ask meanwhile; and again after it failed', async () => {
    store.hold('list');
    const first = ownership.confirm();
    expect(ownership.confirm()).toBe(first);
    store.release('list');
    await first;
    store.listShards = () => Promise.reject(new Error('down'));
    await expect(ownership.confirm()).rejects.toThrow('down');
    await expect(ownership.confirm()).rejects.toThrow('down');
    expect([store.count('list'), ownership.standing(shard(1))]).toEqual([1, 'owned']);
  });
});

describe('in a cluster, memory is trusted for a while after the store was asked', () => {
  const trustMs = 1_000;
  let clock: ManualClock;
  beforeEach(async () => {
    clock = new ManualClock();
    store = new ScriptedStore();
    ownership = new Ownership(store, 'node-1', { clock, trustMs });
    await ownership.claim([shard(1)]);
  });

  test('for as long as that, and no longer', async () => {
    await clock.advance(5_000);
    expect(ownership.isTrusted(shard(1))).toBe(false);
    await ownership.confirm();
    expect(ownership.isTrusted(shard(1))).toBe(true);
    await clock.advance(trustMs);
    expect(ownership.isTrusted(shard(1))).toBe(true);
    await clock.advance(1);
    expect(ownership.isTrusted(shard(1))).toBe(false);
  });

  test('counted from the question, not from the answer', async () => {
    store.hold('list');
    const confirmation = ownership.confirm();
    await clock.advance(trustMs + 1);
    store.release('list');
    await confirmation;
    expect(ownership.isTrusted(shard(1)), 'a process that was frozen meanwhile').toBe(false);
  });

  test('a jump of the wall clock changes nothing', async () => {
    await ownership.confirm();
    clock.jump(60_000);
    expect(ownership.isTrusted(shard(1))).toBe(true);
    clock.jump(-120_000);
    await clock.advance(trustMs + 1);
    expect(ownership.isTrusted(shard(1))).toBe(false);
  });

  test('by each shard: what the store said of others says nothing', async () => {
    await ownership.confirm();
    await clock.advance(trustMs);
    ownership.adopt([{ shardId: shard(5), epoch: 1 }], clock.monotonicMs());
    await clock.advance(1);
    expect([1, 5, 9].map((id) => ownership.isTrusted(shard(id)))).toEqual([false, true, false]);
  });

  test('not for what the store gave us long ago, in a process that stood still since', async () => {
    const askedAtMs = clock.monotonicMs();
    const given = await store.claimShards('node-1', [shard(5)]);
    await clock.advance(30_000);
    await ownership.confirm();
    ownership.adopt(given, askedAtMs);
    expect([ownership.standing(shard(5)), ownership.isTrusted(shard(5))]).toEqual(['owned', false]);
    await ownership.confirm();
    expect(ownership.isTrusted(shard(5))).toBe(true);
  });

  test('not under an epoch that the store has passed, though it names us again', async () => {
    await store.claimShards('node-2', [shard(1)]);
    await store.claimShards('node-1', [shard(1)]);
    await clock.advance(10);
    await ownership.confirm();
    expect(ownership.standing(shard(1)), 'to be renewed before anything is read').toBe('suspect');
  });

  test('and what was renewed from when that was asked', async () => {
    await clock.advance(5_000);
    ownership.markSuspect([shard(1)]);
    store.hold('renew');
    const renewal = ownership.renew(shard(1));
    await clock.advance(600);
    store.release('renew');
    await renewal;
    await clock.advance(400);
    expect(ownership.isTrusted(shard(1))).toBe(true);
    await clock.advance(1);
    expect(ownership.isTrusted(shard(1))).toBe(false);
  });

  test('a node on its own trusts it for ever', () => {
    expect(new Ownership(store, 'node-1').isTrusted(shard(1))).toBe(true);
  });

  test.each([
    { came: 'before the question', adoptedAtMs: 9, standing: 'lost' },
    { came: 'in the moment of the question', adoptedAtMs: 10, standing: 'owned' },
    { came: 'after the question', adoptedAtMs: 11, standing: 'owned' },
  ])('a shard that $came and is not in the answer is $standing', async ({ adoptedAtMs, standing }) => {
    const adopt = () => ownership.adopt([{ shardId: shard(5), epoch: 1 }], clock.monotonicMs());
    clock.setTimer(adoptedAtMs, adopt);
    if (adoptedAtMs <= 10) await clock.advance(10);
    store.hold('list');
    await clock.advance(10 - clock.monotonicMs());
    const confirmation = ownership.confirm();
    await clock.advance(5);
    store.release('list');
    await confirmation;
    expect(ownership.standing(shard(5))).toBe(standing);
    await clock.advance(5);
    await ownership.confirm();
    expect(ownership.standing(shard(5)), 'the next answer tells').toBe('lost');
  });
});

describe('a newer epoch', () => {
  test('makes the shard owned under it', () => {
    ownership.markSuspect([shard(1)]);
    ownership.raise([{ shardId: shard(1), epoch: 4 }], 0);
    expect([ownership.standing(shard(1)), ownership.epoch(shard(1))]).toEqual(['owned', 4]);
  });

  test.each([
    ['of a shard that was lost meanwhile', () => ownership.markLost([shard(1)])],
    ['of a shard that was released meanwhile', () => ownership.release(shard(1))],
  ])('%s changes nothing: the answer tells of a moment that is over', (_what, before) => {
    before();
    ownership.raise([{ shardId: shard(1), epoch: 4 }], 0);
    expect(ownership.standing(shard(1))).toBe('lost');
  });

  test.each([1, 4, 5])('after a newer one, or the same again (%i), changes nothing', (epoch) => {
    ownership.raise([{ shardId: shard(1), epoch: 5 }], 0);
    ownership.raise([{ shardId: shard(1), epoch }], 0);
    expect(ownership.epoch(shard(1))).toBe(5);
  });

  test('of a renewal that was answered after the shard was released changes nothing', async () => {
    ownership.markSuspect([shard(1)]);
    store.hold('renew');
    const renewal = ownership.renew(shard(1));
    ownership.release(shard(1));
    store.release('renew');
    await renewal;
    expect([ownership.standing(shard(1)), ownership.owned()]).toEqual(['lost', [{ shardId: 2, epoch: 1 }]]);
  });
});

test('I3: a shard that was released comes back under a newer epoch only', () => {
  ownership.release(shard(1));
  expect([ownership.standing(shard(1)), ownership.lost()]).toEqual(['lost', []]);
  expect(() => ownership.adopt([{ shardId: shard(1), epoch: 1 }], 0)).toThrow('I3');
  ownership.adopt([{ shardId: shard(1), epoch: 2 }], 0);
  expect(ownership.epoch(shard(1))).toBe(2);
});
