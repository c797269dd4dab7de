import { describe, expect, test } from 'vitest';
import type { ShardId } from '../../../../src/actors/allocator/ids.ts';
import { CommitStage } from './commit-stage.ts';

describe('greedy batches', () => {
  test('nothing is sent before the input that waits has been read, then all of it at once', async () => {
    const stage = new CommitStage();
    const [one, two] = [await stage.member(1, 1), await stage.member(2, 2)];
    one.append('a');
    two.append('b', 2);
    one.append('c');
    expect(stage.store.sent).toEqual([]);
    await stage.clock.settle();
    expect(stage.sentRows).toEqual([['1/1', '2/1', '2/2', '1/2']]);
    expect(stage.batches).toEqual([[4, 'committed']]);
  });

  test('one is in flight; what joins meanwhile is the next', async () => {
    const stage = new CommitStage();
    const [one, two] = [await stage.member(1, 1), await stage.member(2, 2)];
    stage.store.hold('commit');
    one.append('a');
    await stage.clock.settle();
    for (const name of ['b', 'c', 'd']) {
      two.append(name);
      await stage.clock.settle();
    }
    expect(stage.sentRows, 'nothing overtakes').toEqual([['1/1']]);
    stage.store.release('commit');
    await stage.clock.settle();
    expect(stage.sentRows).toEqual([['1/1'], ['2/1', '2/2', '2/3']]);
  });

  test('a batch has rowsMax rows at most, and the rest are sent after it in order', async () => {
    const stage = new CommitStage(3);
    const one = await stage.member(1, 1);
    for (const [name, count] of [
      ['a', 2],
      ['b', 1],
      ['c', 1],
      ['d', 3],
    ] as const)
      one.append(name, count);
    await stage.clock.settle();
    expect(stage.sentRows).toEqual([['1/1', '1/2', '1/3'], ['1/4'], ['1/5', '1/6', '1/7']]);
  });

  test("a command's events are never parted, not even by rowsMax", async () => {
    const stage = new CommitStage(3);
    const one = await stage.member(1, 1);
    for (const [name, count] of [
      ['a', 2],
      ['b', 2],
      ['c', 5],
    ] as const)
      one.append(name, count);
    await stage.clock.settle();
    expect(stage.sentRows.map((rows) => rows.length)).toEqual([2, 2, 5]);
  });

  test('every batch names its shards once with their epochs, and has a number of its own', async () => {
    const stage = new CommitStage();
    const members = [await stage.member(1, 7), await stage.member(2, 7), await stage.member(3, 8)];
    await stage.ownership.claim([8 as ShardId]);
    for (const member of members) member.append('a');
    await stage.clock.settle();
    members[0]?.append('b');
    await stage.clock.settle();
    expect(stage.store.sent.map(({ batchNumber, shards }) => ({ batchNumber, shards }))).toEqual([
      {
        batchNumber: 1,
        shards: [
          { shardId: 7, epoch: 1 },
          { shardId: 8, epoch: 2 },
        ],
      },
      { batchNumber: 2, shards: [{ shardId: 7, epoch: 1 }] },
    ]);
  });

  test('a row is the event as it is stored', async () => {
    const stage = new CommitStage();
    (await stage.member(4, 9)).append('a');
    await stage.clock.settle();
    expect(stage.store.sent[0]?.rows).toEqual([
      { scheduleId: 4, shardId: 9, seq: 1, atMs: 100, type: 'cancelled', payload: '{"number":1}' },
    ]);
  });

  test('a batch is joined with events', async () => {
    const stage = new CommitStage();
    const one = await stage.member(1, 1);
    expect(() => one.append('a', 0)).toThrow('joined with events');
  });
});

describe('the output gate (I2, I9)', () => {
  test('actors hear of it first, then the replies in the order in which they came', async () => {
    const stage = new CommitStage();
    const [one, two] = [await stage.member(1, 1), await stage.member(2, 2)];
    one.append('hold');
    two.append('other hold');
    one.ask('refusal');
    one.append('second hold', 2);
    expect(stage.told).toEqual([]);
    await stage.clock.settle();
    expect(stage.told).toEqual([
      '1 durable up to 3',
      '2 durable up to 1',
      'hold durable',
      'other hold durable',
      'refusal durable',
      'second hold durable',
    ]);
  });

  test('an answer that rests on nothing open goes out at once', async () => {
    const stage = new CommitStage();
    const [one, two] = [await stage.member(1, 1), await stage.member(2, 2)];
    two.append('hold of another schedule');
    one.ask('refusal');
    expect(stage.told).toEqual(['refusal durable']);
    await stage.clock.settle();
    stage.told.length = 0;
    two.ask('refusal after the commit');
    expect(stage.told).toEqual(['refusal after the commit durable']);
  });

  test('it waits for the newest batch of its actor, not for the one in flight', async () => {
    const stage = new CommitStage();
    const one = await stage.member(1, 1);
    stage.store.hold('commit');
    one.append('hold');
    await stage.clock.settle();
    one.append('second hold');
    one.ask('refusal');
    stage.store.release('commit');
    stage.store.hold('commit');
    await stage.clock.settle();
    one.ask('later refusal');
    expect(stage.told).toEqual(['1 durable up to 1', 'hold durable']);
    stage.store.release('commit');
    await stage.clock.settle();
    expect(stage.told.slice(2)).toEqual([
      '1 durable up to 2',
      'second hold durable',
      'refusal durable',
      'later refusal durable',
    ]);
  });

  test('the next batch is on its way before the replies of this one are written', async () => {
    const stage = new CommitStage();
    const one = await stage.member(1, 1);
    stage.store.hold('commit');
    stage.commits.append(one, [{ type: 'cancelled', seq: 1, atMs: 1, number: 1 as never }], () => {
      stage.told.push(`first reply, ${stage.store.sent.length} batches sent`);
    });
    await stage.clock.settle();
    stage.commits.append(one, [{ type: 'cancelled', seq: 2, atMs: 1, number: 2 as never }], () => {});
    stage.store.release('commit');
    await stage.clock.settle();
    expect(stage.told).toContain('first reply, 2 batches sent');
  });

  test('waiting replies are counted, and nobody waits when all is idle', async () => {
    const stage = new CommitStage();
    const one = await stage.member(1, 1);
    await stage.commits.whenIdle();
    one.append('a');
    one.ask('b');
    expect(stage.commits.pending).toBe(2);
    const idle = stage.commits.whenIdle().then(() => stage.told.push('idle'));
    await stage.clock.settle();
    await idle;
    expect(stage.commits.pending).toBe(0);
    expect(stage.told.at(-1)).toBe('idle');
  });
});
