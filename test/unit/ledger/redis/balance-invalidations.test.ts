import { describe, expect, test } from 'vitest';
import type { UserId } from '../../../../src/actors/allocator/ids.ts';
import { ann, bob, CacheStage } from './cache-stage.ts';

const generationKey = 'balance:one:generation';
const keyOf = (name: string, generation = '0'): string => `balance:one:${generation}:${name}`;
const users = (count: number): readonly UserId[] =>
  Array.from({ length: count }, (_, index) => `u${index}` as UserId);

/** Whether a promise is settled by now. */
async function isSettled(promise: Promise<unknown>): Promise<boolean> {
  return Promise.race([
    promise.then(() => true),
    new Promise<boolean>((resolve) => setImmediate(resolve, false)),
  ]);
}

describe('deletions', () => {
  test('of one turn go in one write, each user once, and are waited for', async () => {
    const stage = new CacheStage();
    const { invalidations } = stage.node();
    stage.redis.hold();
    const adding = Promise.all([ann, bob, ann].map((userId) => invalidations.add(userId)));
    await stage.clock.settle();
    expect(stage.redis.calls).toEqual([
      [`get ${generationKey}`, `del ${keyOf('ann')}`, `del ${keyOf('bob')}`],
    ]);
    expect([await isSettled(adding), stage.pending]).toEqual([false, 2]);
    expect([invalidations.isPending(ann), invalidations.isPending('cleo' as UserId)]).toEqual([true, false]);
    stage.redis.release();
    await adding;
    expect([invalidations.isPending(ann), stage.pending, stage.news()]).toEqual([false, 0, ['2 first']]);
    expect(stage.clock.delaysMs).toEqual([]);
  });

  test('of more than 500 go in several', async () => {
    const stage = new CacheStage();
    const { invalidations } = stage.node();
    await stage.settled(Promise.all(users(1_200).map((userId) => invalidations.add(userId))));
    expect(stage.redis.calls.map((call) => call.length)).toEqual([501, 501, 201]);
    expect(stage.pending).toBe(0);
  });

  test('that are not delivered are tried until they are, and the caller does not wait for that', async () => {
    const stage = new CacheStage();
    const { invalidations } = stage.node();
    stage.redis.steps = ['lost', 'answer-lost', 'lost'];
    await stage.settled(invalidations.add(ann));
    expect([invalidations.isPending(ann), stage.clock.delaysMs]).toEqual([true, [200]]);
    await stage.clock.advance(400);
    expect(invalidations.isPending(ann)).toBe(true);
    await stage.clock.advance(200);
    expect([invalidations.isPending(ann), stage.clock.delaysMs]).toEqual([false, []]);
    expect(stage.news()).toEqual(['1 first', '1 again', '1 again', '1 again']);
  });

  test('wait for nobody where Redis can’t be used, and are sent when it can', async () => {
    const stage = new CacheStage();
    const { invalidations } = stage.node();
    stage.redis.isUsable = false;
    await invalidations.add(ann);
    await invalidations.add(bob);
    await stage.clock.advance(60_000);
    expect([stage.redis.calls, stage.pending]).toEqual([[], 2]);
    stage.redis.isUsable = true;
    await stage.clock.advance(200);
    expect([stage.redis.calls.length, stage.pending, stage.news()]).toEqual([1, 0, ['2 again']]);
  });

  test('that Redis refuses are tried again, those beside them are done', async () => {
    const stage = new CacheStage();
    const { invalidations } = stage.node();
    stage.redis.refused.add(keyOf('ann'));
    await stage.settled(Promise.all([invalidations.add(ann), invalidations.add(bob)]));
    expect([invalidations.isPending(ann), invalidations.isPending(bob)]).toEqual([true, false]);
    stage.redis.refused.clear();
    await stage.clock.advance(200);
    expect(invalidations.isPending(ann)).toBe(false);
  });

  test('asked for while one is on its way are not done by it', async () => {
    const stage = new CacheStage();
    const { invalidations } = stage.node();
    stage.redis.hold();
    const first = invalidations.add(ann);
    await stage.clock.settle();
    stage.redis.steps = ['lost'];
    const second = invalidations.add(ann);
    await stage.clock.settle();
    stage.redis.release();
    await Promise.all([first, second]);
    expect(invalidations.isPending(ann)).toBe(true);
    await stage.clock.advance(200);
    expect(invalidations.isPending(ann)).toBe(false);
  });

  test('under a generation that is over are sent again under the one that counts', async () => {
    const stage = new CacheStage();
    const { invalidations } = stage.node();
    stage.redis.values.set(generationKey, 'g1').set(keyOf('ann', 'g1'), 'balance:1');
    await stage.settled(invalidations.add(ann));
    expect([stage.redis.values.has(keyOf('ann', 'g1')), invalidations.isPending(ann)]).toEqual([
      false,
      false,
    ]);
  });

  test('at the end are tried once more', async () => {
    const stage = new CacheStage();
    const { invalidations } = stage.node();
    stage.redis.steps = ['lost'];
    await stage.settled(invalidations.add(ann));
    await invalidations.close();
    expect([stage.pending, stage.clock.delaysMs]).toEqual([0, []]);
  });

  test('that can’t be delivered at the end keep nobody', async () => {
    const stage = new CacheStage();
    const { invalidations } = stage.node();
    stage.redis.steps = ['lost', 'lost'];
    await stage.settled(invalidations.add(ann));
    await invalidations.close();
    expect(stage.pending).toBe(1);
    stage.redis.isUsable = false;
    await invalidations.add(bob);
    await stage.clock.advance(10_000);
    expect(stage.clock.delaysMs).toEqual([]);
  });
});

describe('what is pending is not looked at by this node, whatever Redis says', () => {
  test('until it is delivered', async () => {
    const stage = new CacheStage();
    const [node, other] = [stage.node(), stage.node()];
    await node.balanceOf(ann);
    stage.redis.steps = ['lost'];
    await stage.change(node, ann, 50);
    // C3: another node may see what could not be deleted.
    expect([await node.balanceOf(ann), await other.balanceOf(ann)]).toEqual([50, 0]);
    await stage.clock.advance(200);
    expect([await node.balanceOf(ann), await other.balanceOf(ann)]).toEqual([50, 50]);
  });

  test('of others it is', async () => {
    const stage = new CacheStage();
    const node = stage.node();
    await node.balanceOf(bob);
    stage.redis.steps = ['lost'];
    await stage.change(node, ann, 50);
    await node.balanceOf(bob);
    expect(stage.news().at(-1)).toBe('hit');
  });
});

describe('more than are kept', () => {
  /** A node that keeps two, and has three to delete while Redis is away. */
  async function overflown() {
    const stage = new CacheStage();
    const [node, other] = [stage.node(2), stage.node()];
    for (const userId of [ann, ...users(3)]) await node.balanceOf(userId);
    stage.redis.isUsable = false;
    for (const userId of users(3)) await stage.change(node, userId, 50);
    stage.redis.isUsable = true;
    stage.news();
    return { stage, node, other };
  }

  test('void all entries, on every node, as soon as Redis is back', async () => {
    const { stage, node, other } = await overflown();
    expect(stage.pending).toBe(Number.POSITIVE_INFINITY);
    expect(await node.balanceOf(ann)).toBe(0);
    expect(stage.news()).toEqual(['bypass']);
    await stage.clock.advance(200);
    expect([stage.pending, stage.news(), stage.clock.delaysMs]).toEqual([0, ['raised'], []]);
    const generation = stage.redis.values.get(generationKey);
    expect(stage.redis.livesMs.get(generationKey)).toBe(24 * 60 * 60 * 1000);
    for (const userId of users(3)) {
      expect([await other.balanceOf(userId), await node.balanceOf(userId)]).toEqual([50, 50]);
    }
    expect([...stage.redis.values.keys()].filter((key) => key.includes(`${generation}:u`))).toHaveLength(3);
  });

  test('are tried until they are delivered, and what comes meanwhile is in it', async () => {
    const { stage, node } = await overflown();
    stage.redis.steps = ['lost', 'answer-lost'];
    await stage.clock.advance(200);
    await stage.change(node, ann, 7);
    expect([stage.pending, node.invalidations.isPending(ann)]).toEqual([Number.POSITIVE_INFINITY, true]);
    await stage.clock.advance(200);
    expect(stage.pending).toBe(Number.POSITIVE_INFINITY);
    await stage.clock.advance(200);
    expect([stage.pending, await node.balanceOf(ann)]).toEqual([0, 7]);
  });

  test('what comes while the new generation is on its way is deleted under it', async () => {
    const { stage, node, other } = await overflown();
    stage.redis.hold();
    await stage.clock.advance(200);
    // Redis has the new generation, and another node has stored under it; we have not heard of it yet.
    stage.redis.release();
    stage.redis.hold();
    const generation = stage.redis.values.get(generationKey);
    stage.redis.values.set(keyOf('ann', generation), 'balance:0');
    stage.commit(ann, 7);
    const adding = node.invalidations.add(ann);
    expect(node.invalidations.isPending(ann)).toBe(true);
    stage.redis.release();
    await stage.settled(adding);
    await stage.clock.settle();
    expect([
      node.invalidations.isPending(ann),
      await other.balanceOf(ann),
      await node.balanceOf(ann),
    ]).toEqual([false, 7, 7]);
  });

  test('again while the new generation is on its way: another one', async () => {
    const { stage, node } = await overflown();
    stage.redis.hold();
    await stage.clock.advance(200);
    const adding = users(3).map((userId) => node.invalidations.add(userId));
    stage.redis.release();
    await stage.settled(Promise.all(adding));
    expect(stage.pending).toBe(Number.POSITIVE_INFINITY);
    await stage.clock.advance(200);
    expect(stage.pending).toBe(0);
    expect(stage.redis.values.get(generationKey)).toMatch(/-2$/);
  });
});
