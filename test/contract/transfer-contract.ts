import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type ShardEpoch, type Store, StoreUnavailable } from '../../src/actors/runtime/ports.ts';
import { ScheduleJournal } from './schedule-journal.ts';
import { batchOf, type StoreHarness, shardIds } from './store-harness.ts';

/** Shards that go from one owner to another: I3. */
export function transferContract(makeHarness: () => StoreHarness<Store>): void {
  let harness: StoreHarness<Store>;
  let store: Store;

  beforeEach(async () => {
    harness = makeHarness();
    store = await harness.open();
  });
  afterEach(async () => {
    await store.close();
    harness.dispose();
  });

  const claim = (owner: string, ...ids: number[]) => store.claimShards(owner, shardIds(...ids));
  const at = (shardId: number, epoch: number): ShardEpoch => ({ shardId: shardIds(shardId)[0]!, epoch });

  describe('listShards', () => {
    it('knows no shard that nobody has ever had', async () => {
      expect(await store.listShards()).toEqual([]);
    });

    it('says whose each shard is, and its epoch, by number', async () => {
      await claim('a', 200, 3);
      await claim('b', 17, 3);
      expect(await store.listShards()).toEqual([
        { ...at(3, 2), owner: 'b' },
        { ...at(17, 1), owner: 'b' },
        { ...at(200, 1), owner: 'a' },
      ]);
    });

    it('says what has become of them since: renewed, settled, and after a restart', async () => {
      const shards = await claim('a', 1, 2);
      await store.renewShards('a', shardIds(1));
      await store.resolveCommit(batchOf(1, shards.slice(1), []));
      await store.close();
      store = await harness.open();
      expect(await store.listShards()).toEqual([
        { ...at(1, 2), owner: 'a' },
        { ...at(2, 2), owner: 'a' },
      ]);
    });
  });

  describe.each(['given', 'taken'] as const)('transferShards (%s)', (how) => {
    it('moves shards to another owner, under the next epoch, in the order of the call', async () => {
      await claim('a', 1, 2, 3);
      expect(await store.transferShards([at(3, 1), at(1, 1)], 'b', how)).toEqual([at(3, 2), at(1, 2)]);
      expect(await store.listShards()).toEqual([
        { ...at(1, 2), owner: 'b' },
        { ...at(2, 1), owner: 'a' },
        { ...at(3, 2), owner: 'b' },
      ]);
    });

    it('leaves those alone that are at another epoch by now, older or newer', async () => {
      await claim('a', 1, 2, 3);
      await claim('c', 2, 3);
      await claim('c', 3);
      expect(await store.transferShards([at(1, 1), at(2, 1), at(3, 4)], 'b', how)).toEqual([at(1, 2)]);
      expect(await store.listShards()).toEqual([
        { ...at(1, 2), owner: 'b' },
        { ...at(2, 2), owner: 'c' },
        { ...at(3, 3), owner: 'c' },
      ]);
    });

    it('is a compare and set: the second of two that name the same epoch gets nothing', async () => {
      await claim('a', 1);
      const both = await Promise.all(['b', 'c'].map((owner) => store.transferShards([at(1, 1)], owner, how)));
      expect(both.flat()).toEqual([at(1, 2)]);
      const winner = both[0]!.length === 1 ? 'b' : 'c';
      expect(await store.listShards()).toEqual([{ ...at(1, 2), owner: winner }]);
      expect(await store.transferShards([at(1, 1)], winner, how)).toEqual([]);
    });

    it('takes what nobody has had yet at epoch 0, and only that', async () => {
      await claim('a', 2);
      expect(await store.transferShards([at(9, 0), at(2, 0), at(4, 0), at(5, 1)], 'b', how)).toEqual([
        at(9, 1),
        at(4, 1),
      ]);
      expect(await store.transferShards([at(9, 0)], 'c', how)).toEqual([]);
      expect(await store.listShards()).toEqual([
        { ...at(2, 1), owner: 'a' },
        { ...at(4, 1), owner: 'b' },
        { ...at(9, 1), owner: 'b' },
      ]);
    });

    it('shuts the old owner out, who can neither write, nor settle, nor renew (I3)', async () => {
      const before = await claim('a', 1);
      const journal = new ScheduleJournal(1, 1);
      journal.hold();
      const batch = batchOf(1, before, journal.rows());
      const after = await store.transferShards(before, 'b', how);
      expect(await store.commit(batch)).toBe('fenced');
      expect(await store.resolveCommit(batch)).toEqual({ outcome: 'fenced' });
      expect(await store.renewShards('a', shardIds(1))).toEqual([]);
      expect(await store.commit(batchOf(1, after, journal.rows()))).toBe('committed');
    });

    it('sets last_batch back to 0: the new owner may count from 1', async () => {
      const before = await claim('a', 1);
      const journal = new ScheduleJournal(1, 1);
      journal.hold({ seats: [0] });
      await store.commit(batchOf(900, before, journal.newRows()));
      const after = await store.transferShards(before, 'b', how);
      journal.hold({ seats: [1] });
      expect(await store.commit(batchOf(1, after, journal.newRows()))).toBe('committed');
    });

    it('gives a shard back to whoever had it, under an epoch that was never used', async () => {
      const first = await claim('a', 1);
      const second = await store.transferShards(first, 'b', how);
      const third = await store.transferShards(second, 'a', how);
      expect(third).toEqual([at(1, 3)]);
      expect(await store.transferShards(first, 'a', how)).toEqual([]);
      expect(await store.renewShards('a', shardIds(1))).toEqual([at(1, 4)]);
    });

    it('of no shards is nothing, and a closed store refuses', async () => {
      expect(await store.transferShards([], 'b', how)).toEqual([]);
      await store.close();
      await expect(store.transferShards([at(1, 0)], 'b', how)).rejects.toThrow(StoreUnavailable);
      await expect(store.listShards()).rejects.toThrow(StoreUnavailable);
      await expect(store.followShards(shardIds(1))).rejects.toThrow(StoreUnavailable);
    });
  });

  it('all 256 shards go at once, and come to be projected by whoever follows them', async () => {
    const all = await claim('a', ...Array.from({ length: 256 }, (_, shard) => shard));
    const journal = new ScheduleJournal(1, 200);
    journal.hold();
    await store.commit(batchOf(1, [all[200]!], journal.newRows()));
    const moved = await store.transferShards(all, 'b', 'given');
    expect(moved.map(({ epoch }) => epoch)).toEqual(all.map(() => 2));
    await store.followShards(moved.map(({ shardId }) => shardId));
    await store.projectAll();
    const { image } = await store.loadSchedule(journal.scheduleId, { endedSinceMs: 0, markedSinceMs: 0 });
    expect(image.projectedSeq).toBe(1);
  });
}
