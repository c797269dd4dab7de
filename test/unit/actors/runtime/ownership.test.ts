import { beforeEach, describe, expect, test } from 'vitest';
import type { ShardId } from '../../../../src/actors/allocator/ids.ts';
import { Ownership } from '../../../../src/actors/runtime/ownership.ts';
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
  expect(() => ownership.adopt([{ shardId: shard(1), epoch: 1 }])).toThrow('I3');
  expect(() => ownership.adopt([{ shardId: shard(1), epoch: 0 }])).toThrow('I3');
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

test('what the store no longer says is ours is lost; the rest stays as it was', () => {
  ownership.markSuspect([shard(2)]);
  expect(ownership.keepOnly([shard(2), shard(9)])).toBe(1);
  expect([1, 2, 9].map((id) => ownership.standing(shard(id)))).toEqual(['lost', 'suspect', 'lost']);
  expect(ownership.keepOnly([shard(2)]), 'told once').toBe(0);
  expect(ownership.keepOnly([shard(1), shard(2)]), 'and for good').toBe(0);
  expect(ownership.standing(shard(1))).toBe('lost');
});
