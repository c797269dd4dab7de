import { describe, expect, test } from 'vitest';
import type { ShardId } from '../../../../src/actors/allocator/ids.ts';
import { CommitStage, type NotedMember } from './commit-stage.ts';

const shard = (id: number): ShardId => id as ShardId;

/** One and Two (shards 1, 2) in flight; One again, Three (shard 3) and Four (shard 1) behind it. */
async function staged(): Promise<{ stage: CommitStage; members: readonly NotedMember[] }> {
  const stage = new CommitStage();
  const members = [
    await stage.member(1, 1),
    await stage.member(2, 2),
    await stage.member(3, 3),
    await stage.member(4, 1),
  ];
  const [one, two, three, four] = members as [NotedMember, NotedMember, NotedMember, NotedMember];
  stage.store.hold('commit');
  one.append('one');
  two.append('two');
  await stage.clock.settle();
  one.append('one again');
  three.append('three');
  four.append('four');
  one.ask('refusal of one');
  three.ask('refusal of three');
  return { stage, members };
}

async function finish(stage: CommitStage): Promise<void> {
  stage.store.release('commit');
  await stage.clock.settle();
}

describe('a batch that took no effect', () => {
  test('takes the later events of its actors with it, and nobody else’s', async () => {
    const { stage } = await staged();
    stage.store.commitSteps = ['unavailable'];
    await finish(stage);
    expect(stage.told).toEqual([
      '1 lost',
      '2 lost',
      'one store-unavailable',
      'two store-unavailable',
      'one again store-unavailable',
      'refusal of one store-unavailable',
      '3 durable up to 1',
      '4 durable up to 1',
      'three durable',
      'four durable',
      'refusal of three durable',
    ]);
    expect(stage.sentRows).toEqual([
      ['1/1', '2/1'],
      ['3/1', '4/1'],
    ]);
    expect(stage.batches).toEqual([
      [2, 'lost'],
      [2, 'committed'],
    ]);
    expect(stage.commits.pending).toBe(0);
  });

  test('leaves the shards ours, and its actors may go on with new events', async () => {
    const { stage, members } = await staged();
    stage.store.commitSteps = ['unavailable'];
    await finish(stage);
    expect(stage.ownership.standing(shard(1))).toBe('owned');
    stage.told.length = 0;
    members[0]?.ask('recovered');
    members[0]?.append('anew');
    await stage.clock.settle();
    expect(stage.told).toEqual(['recovered durable', '1 durable up to 3', 'anew durable']);
  });

  test('is a fault that the observer hears of', async () => {
    const { stage } = await staged();
    stage.store.commitSteps = ['unavailable'];
    await finish(stage);
    expect(stage.faults).toEqual(['commit failed']);
  });

  test('leaves no empty batch behind', async () => {
    const stage = new CommitStage();
    const one = await stage.member(1, 1);
    stage.store.hold('commit');
    stage.store.commitSteps = ['unavailable'];
    one.append('a');
    await stage.clock.settle();
    one.append('b');
    await finish(stage);
    await stage.commits.whenIdle();
    expect(stage.sentRows).toEqual([['1/1']]);
  });
});

describe('a fenced batch (I3)', () => {
  test('its shards are suspect, with what waits for them; others go on', async () => {
    const { stage } = await staged();
    stage.store.commitSteps = ['fenced'];
    await finish(stage);
    expect(stage.told).toEqual([
      '1 lost',
      '2 lost',
      '4 lost',
      'one shard-moving',
      'two shard-moving',
      'one again shard-moving',
      'four shard-moving',
      'refusal of one shard-moving',
      '3 durable up to 1',
      'three durable',
      'refusal of three durable',
    ]);
    expect([1, 2, 3].map((id) => stage.ownership.standing(shard(id)))).toEqual([
      'suspect',
      'suspect',
      'owned',
    ]);
    expect(stage.store.count('claim'), 'nothing is taken back').toBe(3);
  });
});

describe('a commit of unknown outcome', () => {
  test('that was written: the replies go out, under new epochs', async () => {
    const { stage } = await staged();
    stage.store.commitSteps = ['landed'];
    await finish(stage);
    expect(stage.told.slice(0, 4)).toEqual([
      '1 durable up to 1',
      '2 durable up to 1',
      'one durable',
      'two durable',
    ]);
    expect(stage.sentRows[0]).toEqual(['1/1', '2/1']);
    expect(stage.store.sent[1]?.shards).toContainEqual({ shardId: 1, epoch: 2 });
    expect(stage.store.journal.get(1 as never)?.map((row) => row.seq)).toEqual([1, 2]);
    expect(stage.faults).toEqual(['commit of unknown outcome']);
  });

  test('that was not written: the same batch again, under new epochs', async () => {
    const { stage } = await staged();
    stage.store.commitSteps = ['vanished'];
    await finish(stage);
    const [first, second] = stage.store.sent;
    expect(second?.rows).toEqual(first?.rows);
    expect([first?.batchNumber, second?.batchNumber]).toEqual([1, 1]);
    expect(second?.shards).toEqual([
      { shardId: 1, epoch: 2 },
      { shardId: 2, epoch: 2 },
    ]);
    expect(stage.told.filter((line) => !line.endsWith('durable') && !line.includes('up to'))).toEqual([]);
    expect(stage.store.journal.get(1 as never)?.map((row) => row.seq)).toEqual([1, 2]);
  });

  test('again and again: nothing is written twice', async () => {
    const { stage } = await staged();
    stage.store.commitSteps = ['vanished', 'vanished', 'landed'];
    await finish(stage);
    expect(stage.store.sent.slice(0, 4).map(({ batchNumber }) => batchNumber)).toEqual([1, 1, 1, 2]);
    expect(stage.store.journal.get(1 as never)?.map((row) => row.seq)).toEqual([1, 2]);
    expect(stage.told).toContain('one durable');
  });

  test('in a shard that somebody else took meanwhile: fenced', async () => {
    const { stage } = await staged();
    stage.store.commitSteps = ['vanished'];
    stage.store.shards.set(shard(2), { epoch: 9, lastBatch: 0, owner: 'somebody else' });
    await finish(stage);
    expect(stage.told.slice(0, 5)).toEqual([
      '1 lost',
      '2 lost',
      '4 lost',
      'one shard-moving',
      'two shard-moving',
    ]);
    expect(stage.ownership.standing(shard(2))).toBe('suspect');
  });

  test('that can’t be resolved: the shards are suspect, and what waits for them is refused', async () => {
    const { stage } = await staged();
    stage.store.commitSteps = ['vanished'];
    stage.store.failResolutions = 1;
    await finish(stage);
    expect([1, 2, 3].map((id) => stage.ownership.standing(shard(id)))).toEqual([
      'suspect',
      'suspect',
      'owned',
    ]);
    expect(stage.told).toEqual([
      '1 lost',
      '2 lost',
      '4 lost',
      'one store-unavailable',
      'two store-unavailable',
      'one again store-unavailable',
      'four store-unavailable',
      'refusal of one store-unavailable',
      '3 durable up to 1',
      'three durable',
      'refusal of three durable',
    ]);
  });
});

describe('withdrawing an actor whose state is not to be trusted', () => {
  test('what was not sent is gone; what is in flight goes on', async () => {
    const { stage, members } = await staged();
    const [one] = members as [NotedMember];
    stage.commits.withdraw(one, 'store-unavailable');
    expect(stage.told).toEqual(['one again store-unavailable', 'refusal of one store-unavailable']);
    one.ask('settled');
    await finish(stage);
    expect(stage.sentRows).toEqual([
      ['1/1', '2/1'],
      ['3/1', '4/1'],
    ]);
    expect(stage.told.indexOf('settled durable')).toBe(stage.told.indexOf('two durable') + 1);
  });

  test('with nothing in flight, nothing of it is left to wait for', async () => {
    const stage = new CommitStage();
    const one = await stage.member(1, 1);
    one.append('a');
    stage.commits.withdraw(one, 'store-unavailable');
    one.ask('recovered');
    expect(stage.told).toEqual(['a store-unavailable', 'recovered durable']);
    await stage.clock.settle();
    expect(stage.store.sent).toEqual([]);
    await stage.commits.whenIdle();
  });
});

test('a batch of a shard that was lost while it waited is not sent, and says so', async () => {
  const { stage } = await staged();
  stage.ownership.markLost([shard(3)]);
  await finish(stage);
  expect(stage.sentRows).toEqual([['1/1', '2/1']]);
  expect(stage.told.filter((line) => line.includes('three'))).toEqual([
    'three shard-moving',
    'refusal of three shard-moving',
  ]);
  expect(stage.ownership.standing(shard(1)), 'ours as before').toBe('owned');
  expect([stage.batches.at(-1), stage.commits.pending]).toEqual([[3, 'fenced'], 0]);
});
