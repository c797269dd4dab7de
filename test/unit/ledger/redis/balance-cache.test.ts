import { setImmediate as nextTurn } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { ann, bob, CacheStage } from './cache-stage.ts';

const generationKey = 'balance:one:generation';
const keyOf = (name: string, generation = '0'): string => `balance:one:${generation}:${name}`;

describe('a balance', () => {
  test('is read from the ledger once, kept with its life, and then read from Redis by every node', async () => {
    const stage = new CacheStage();
    stage.commit(ann, 700);
    expect(await stage.node().balanceOf(ann)).toBe(700);
    await nextTurn();
    expect(stage.redis.values.get(keyOf('ann'))).toBe('balance:700');
    stage.commit(ann, 1);
    expect(await stage.node().balanceOf(ann)).toBe(700);
    expect([stage.accounts.reads, stage.news()]).toEqual([1, ['miss', 'stored', 'hit']]);
    expect(stage.redis.calls.map((call) => call.map((words) => words.replace(/lease:\S+/, 'lease')))).toEqual(
      [
        [`get ${generationKey}`, `usherReadOrLease ${keyOf('ann')} lease 10000`],
        [`usherFillLease ${keyOf('ann')} lease balance:700 60000`],
        [`get ${generationKey}`, `usherReadOrLease ${keyOf('ann')} lease 10000`],
      ],
    );
  });

  test('of 0 is one as well', async () => {
    const stage = new CacheStage();
    const node = stage.node();
    expect([await node.balanceOf(ann), await node.balanceOf(ann)]).toEqual([0, 0]);
    expect(stage.news()).toEqual(['miss', 'stored', 'hit']);
  });

  test('that changes is read again, at once, on every node', async () => {
    const stage = new CacheStage();
    const [first, second] = [stage.node(), stage.node()];
    await first.balanceOf(ann);
    await nextTurn();
    await stage.change(second, ann, 50);
    expect([await first.balanceOf(ann), await second.balanceOf(ann)]).toEqual([50, 50]);
    expect(stage.news()).toEqual(['miss', 'stored', '1 first', 'miss', 'stored', 'hit']);
  });

  test('that the ledger does not tell is nobody’s, and asked for again', async () => {
    const stage = new CacheStage();
    const node = stage.node();
    stage.accounts.failure = new Error('down');
    await expect(node.balanceOf(ann)).rejects.toThrow('down');
    stage.accounts.failure = undefined;
    stage.commit(ann, 3);
    expect(await node.balanceOf(ann)).toBe(3);
    await nextTurn();
    expect(stage.news()).toEqual(['miss', 'miss', 'stored']);
  });
});

describe('a balance that was read before a change', () => {
  test('is not stored after it', async () => {
    const stage = new CacheStage();
    const [reader, writer] = [stage.node(), stage.node()];
    const release = stage.accounts.hold();
    const reading = reader.balanceOf(ann);
    await nextTurn();
    await stage.change(writer, ann, 50);
    release();
    expect(await reading).toBe(0);
    await nextTurn();
    expect(stage.redis.values.has(keyOf('ann'))).toBe(false);
    expect(await reader.balanceOf(ann)).toBe(50);
    await nextTurn();
    expect(stage.news()).toEqual(['miss', '1 first', 'refused', 'miss', 'stored']);
  });

  test('is not stored under the lease of who read after it', async () => {
    const stage = new CacheStage();
    const [reader, writer] = [stage.node(), stage.node()];
    const releaseOld = stage.accounts.hold();
    const old = reader.balanceOf(ann);
    await nextTurn();
    await stage.change(writer, ann, 50);
    const releaseNew = stage.accounts.hold();
    const later = reader.balanceOf(ann);
    await nextTurn();
    releaseOld();
    expect(await old).toBe(0);
    await nextTurn();
    expect(stage.redis.values.get(keyOf('ann'))).toMatch(/^lease:/);
    releaseNew();
    expect(await later).toBe(50);
    await nextTurn();
    expect(stage.redis.values.get(keyOf('ann'))).toBe('balance:50');
  });

  test('is not stored where the deletion is still due', async () => {
    const stage = new CacheStage();
    const node = stage.node();
    const release = stage.accounts.hold();
    const reading = node.balanceOf(ann);
    await nextTurn();
    stage.redis.steps = ['lost'];
    await stage.change(node, ann, 50);
    release();
    expect(await reading).toBe(0);
    await nextTurn();
    expect(stage.news()).toEqual(['miss', '1 first', 'failed']);
  });
});

describe('reads of one user at once', () => {
  test('share one read of the ledger', async () => {
    const stage = new CacheStage();
    const node = stage.node();
    stage.commit(ann, 9);
    const release = stage.accounts.hold();
    const readings = [ann, bob, ann, ann].map((userId) => node.balanceOf(userId));
    await nextTurn();
    release();
    expect(await Promise.all(readings)).toEqual([9, 0, 9, 9]);
    await nextTurn();
    expect([stage.accounts.reads, stage.news()]).toEqual([
      2,
      ['miss', 'miss', 'miss', 'miss', 'stored', 'stored'],
    ]);
  });

  test('share its failure', async () => {
    const stage = new CacheStage();
    const node = stage.node();
    stage.accounts.failure = new Error('down');
    const readings = [node.balanceOf(ann), node.balanceOf(ann)];
    for (const reading of readings) await expect(reading).rejects.toThrow('down');
    expect(stage.accounts.reads).toBe(1);
  });

  test('do not share one that began before a change', async () => {
    const stage = new CacheStage();
    const [node, other] = [stage.node(), stage.node()];
    const release = stage.accounts.hold();
    const before = node.balanceOf(ann);
    await nextTurn();
    await stage.change(other, ann, 50);
    const after = node.balanceOf(ann);
    await nextTurn();
    release();
    expect([await before, await after]).toEqual([0, 50]);
    expect(stage.accounts.reads).toBe(2);
  });

  test('of two nodes read twice, and the first to be done stores', async () => {
    const stage = new CacheStage();
    const [first, second] = [stage.node(), stage.node()];
    const release = stage.accounts.hold();
    const readings = [first.balanceOf(ann), second.balanceOf(ann)];
    await nextTurn();
    release();
    await Promise.all(readings);
    await nextTurn();
    expect([stage.accounts.reads, stage.news()]).toEqual([2, ['miss', 'miss', 'stored', 'filled']]);
  });
});

test('the lease of a node that is gone is in nobody’s way', async () => {
  const stage = new CacheStage();
  stage.redis.values.set(keyOf('ann'), 'lease:gone');
  stage.commit(ann, 4);
  expect(await stage.node().balanceOf(ann)).toBe(4);
  await nextTurn();
  expect(stage.redis.values.get(keyOf('ann'))).toBe('balance:4');
});

describe('the ledger is asked, and nothing fails', () => {
  test('where Redis can’t be used: it is not asked', async () => {
    const stage = new CacheStage();
    stage.redis.isUsable = false;
    stage.commit(ann, 4);
    expect(await stage.node().balanceOf(ann)).toBe(4);
    expect([stage.redis.calls, stage.news()]).toEqual([[], ['bypass']]);
  });

  test.each(['lost', 'answer-lost'] as const)('where the call is %s', async (step) => {
    const stage = new CacheStage();
    stage.redis.steps = [step];
    stage.commit(ann, 4);
    expect(await stage.node().balanceOf(ann)).toBe(4);
    expect(stage.news()).toEqual(['bypass']);
  });

  test.each([
    'balance:-1',
    'balance:1.5',
    'balance:',
    'balance:9007199254740992',
    'balance:01',
    'nonsense',
    '',
  ])('where Redis says %j', async (entry) => {
    const stage = new CacheStage();
    stage.redis.values.set(keyOf('ann'), entry);
    stage.commit(ann, 4);
    expect(await stage.node().balanceOf(ann)).toBe(4);
    expect([stage.news(), stage.redis.values.get(keyOf('ann'))]).toEqual([['bypass'], entry]);
  });

  test.each([[generationKey], [keyOf('ann')]])('where it refuses %s', async (key) => {
    const stage = new CacheStage();
    stage.redis.refused.add(key);
    stage.commit(ann, 4);
    expect(await stage.node().balanceOf(ann)).toBe(4);
    expect(stage.news()).toEqual(['bypass']);
  });

  test('where the balance can’t be stored', async () => {
    const stage = new CacheStage();
    stage.redis.steps = ['well', 'lost'];
    stage.commit(ann, 4);
    expect(await stage.node().balanceOf(ann)).toBe(4);
    await nextTurn();
    expect(stage.news()).toEqual(['miss', 'failed']);
  });
});

describe('a generation that another node raised', () => {
  test('voids what was stored before, on the first look', async () => {
    const stage = new CacheStage();
    const node = stage.node();
    await node.balanceOf(ann);
    await nextTurn();
    stage.redis.values.set(generationKey, 'g1');
    stage.commit(ann, 4);
    const balances = [await node.balanceOf(ann), await node.balanceOf(ann)];
    await nextTurn();
    expect([balances, stage.redis.values.get(keyOf('ann', 'g1'))]).toEqual([[4, 4], 'balance:4']);
    expect(stage.news()).toEqual(['miss', 'stored', 'bypass', 'miss', 'stored']);
  });

  test('and that Redis has forgotten: the first counts again', async () => {
    const stage = new CacheStage();
    const node = stage.node();
    stage.redis.values.set(generationKey, 'g1');
    await node.balanceOf(ann);
    stage.redis.values.clear();
    await node.balanceOf(ann);
    await node.balanceOf(ann);
    await nextTurn();
    expect(stage.news()).toEqual(['bypass', 'bypass', 'miss', 'stored']);
    expect(stage.redis.values.get(keyOf('ann'))).toBe('balance:0');
  });
});

test('two installations share nothing', async () => {
  const stage = new CacheStage();
  stage.redis.values.set('balance:two:0:ann', 'balance:99');
  expect(await stage.node().balanceOf(ann)).toBe(0);
});
