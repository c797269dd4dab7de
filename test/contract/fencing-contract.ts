import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type ShardEpoch, type Store, StoreUnavailable } from '../../src/actors/runtime/ports.ts';
import { ScheduleJournal } from './schedule-journal.ts';
import { batchOf, everything, type StoreHarness, shardIds } from './store-harness.ts';

/** Claims, the fenced batch and its settlement: I2, I3 and the key side of I6. */
export function fencingContract(makeHarness: () => StoreHarness<Store>): void {
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
  const stale = (shards: readonly ShardEpoch[]) =>
    shards.map(({ shardId, epoch }) => ({ shardId, epoch: epoch - 1 }));
  const seqsOf = async (journal: ScheduleJournal) => {
    await store.projectAll();
    const { image, tail } = await store.loadSchedule(journal.scheduleId, everything);
    return image.projectedSeq + tail.length;
  };

  const oneHold = (scheduleId: number, shardId: number) => {
    const journal = new ScheduleJournal(scheduleId, shardId);
    journal.hold();
    return journal;
  };

  describe('claimShards', () => {
    it('raises the epoch with each claim, whoever makes it', async () => {
      const first = await claim('a', 7);
      const again = await claim('a', 7);
      const other = await claim('b', 7);
      expect(first).toEqual([{ shardId: 7, epoch: 1 }]);
      expect(again).toEqual([{ shardId: 7, epoch: 2 }]);
      expect(other).toEqual([{ shardId: 7, epoch: 3 }]);
    });

    it('answers in the order of the call, each shard with its own epoch', async () => {
      await claim('a', 255);
      expect(await claim('b', 255, 0, 3)).toEqual([
        { shardId: 255, epoch: 2 },
        { shardId: 0, epoch: 1 },
        { shardId: 3, epoch: 1 },
      ]);
    });

    it('never goes back, across restarts and raised epochs', async () => {
      const shards = await claim('a', 1);
      const resolution = await store.resolveCommit(batchOf(1, shards, []));
      expect(resolution).toEqual({ outcome: 'not-committed', shards: [{ shardId: 1, epoch: 2 }] });
      await store.close();
      store = await harness.open();
      expect(await claim('a', 1)).toEqual([{ shardId: 1, epoch: 3 }]);
    });

    it('sets last_batch back to 0: a new owner may count from 1', async () => {
      const journal = oneHold(1, 1);
      await store.commit(batchOf(900, await claim('a', 1), journal.newRows()));
      journal.hold({ seats: [1] });
      expect(await store.commit(batchOf(1, await claim('b', 1), journal.newRows()))).toBe('committed');
      expect(await seqsOf(journal)).toBe(2);
    });
  });

  describe('renewShards', () => {
    it('raises the epochs of shards that the owner still has, and leaves the others alone', async () => {
      await claim('a', 1, 2, 3);
      await claim('b', 2);
      expect(await store.renewShards('a', shardIds(1, 2, 3, 4))).toEqual([
        { shardId: 1, epoch: 2 },
        { shardId: 3, epoch: 2 },
      ]);
      expect(await claim('b', 2)).toEqual([{ shardId: 2, epoch: 3 }]);
    });

    it('shuts out what was sent under the old epoch, and takes what is sent under the new one', async () => {
      const journal = oneHold(1, 1);
      const before = await claim('a', 1);
      const rows = journal.newRows();
      const after = await store.renewShards('a', shardIds(1));
      expect(await store.commit(batchOf(1, before, rows))).toBe('fenced');
      expect(await store.commit(batchOf(1, after, rows))).toBe('committed');
    });
  });

  describe('commit', () => {
    it('appends the rows of all shards', async () => {
      const shards = await claim('a', 1, 2);
      const [one, two] = [oneHold(10, 1), oneHold(20, 2)];
      one.hold({ seats: [1] });
      expect(await store.commit(batchOf(1, shards, [...one.rows(), ...two.rows()]))).toBe('committed');
      expect([await seqsOf(one), await seqsOf(two)]).toEqual([2, 1]);
    });

    it('commits nothing under a stale epoch (I3)', async () => {
      const old = await claim('a', 1);
      await claim('b', 1);
      const journal = oneHold(1, 1);
      expect(await store.commit(batchOf(1, old, journal.rows()))).toBe('fenced');
      expect(await seqsOf(journal)).toBe(0);
    });

    it('commits nothing under an epoch that was never handed out', async () => {
      const journal = oneHold(1, 1);
      expect(await store.commit(batchOf(1, [{ shardId: journal.shardId, epoch: 1 }], journal.rows()))).toBe(
        'fenced',
      );
      const [shard] = await claim('a', 1);
      const ahead = [{ shardId: journal.shardId, epoch: shard!.epoch + 1 }];
      expect(await store.commit(batchOf(1, ahead, journal.rows()))).toBe('fenced');
      expect(await seqsOf(journal)).toBe(0);
    });

    it.each([0, 1, 2])(
      'commits nothing of any shard when only shard %i of three is stale',
      async (staleShard) => {
        const mine = await claim('a', 0, 1, 2);
        await claim('b', staleShard);
        const journals = mine.map(({ shardId }) => oneHold(shardId + 1, shardId));
        const rows = journals.flatMap((journal) => journal.rows());
        expect(await store.commit(batchOf(5, mine, rows))).toBe('fenced');
        for (const journal of journals) expect(await seqsOf(journal)).toBe(0);

        // Nor did the batch number of the healthy shards move.
        const healthy = mine.filter(({ shardId }) => shardId !== staleShard);
        const theirs = rows.filter(({ shardId }) => shardId !== staleShard);
        expect(await store.commit(batchOf(5, healthy, theirs))).toBe('committed');
      },
    );

    it.each([5, 4])('commits nothing again: batch %i after batch 5', async (batchNumber) => {
      const shards = await claim('a', 1);
      const journal = oneHold(1, 1);
      await store.commit(batchOf(5, shards, journal.newRows()));
      journal.hold({ seats: [1] });
      expect(await store.commit(batchOf(batchNumber, shards, journal.newRows()))).toBe('fenced');
      expect(await seqsOf(journal)).toBe(1);
    });

    it('writes nothing of a batch that has a seq which is there already', async () => {
      const shards = await claim('a', 1, 2);
      const [one, two] = [oneHold(10, 1), oneHold(20, 2)];
      await store.commit(batchOf(1, shards.slice(1), two.newRows()));
      const again = batchOf(2, shards, [...one.rows(), ...two.rows()]);
      await expect(store.commit(again)).rejects.toThrow(StoreUnavailable);
      expect([await seqsOf(one), await seqsOf(two)]).toEqual([0, 1]);
      expect(await store.commit(batchOf(2, shards, one.rows()))).toBe('committed');
    });

    it('writes nothing of a batch that has a seq twice', async () => {
      const shards = await claim('a', 1);
      const journal = oneHold(1, 1);
      const twice = batchOf(1, shards, [...journal.rows(), ...journal.rows()]);
      await expect(store.commit(twice)).rejects.toThrow(StoreUnavailable);
      expect(await seqsOf(journal)).toBe(0);
    });

    it('writes nothing of a batch with a row whose shard it does not fence (I3)', async () => {
      const shards = await claim('a', 1, 2);
      const [one, two] = [oneHold(10, 1), oneHold(20, 2)];
      const unfenced = batchOf(1, shards.slice(0, 1), [...one.rows(), ...two.rows()]);
      await expect(store.commit(unfenced)).rejects.toThrow(StoreUnavailable);
      expect([await seqsOf(one), await seqsOf(two)]).toEqual([0, 0]);
    });

    it('takes a thousand rows at once', async () => {
      const shards = await claim('a', 1);
      const journal = new ScheduleJournal(1, 1);
      for (let seat = 0; seat < 1000; seat++) journal.hold({ seats: [seat] });
      await store.commit(batchOf(1, shards, journal.rows()));
      expect(await seqsOf(journal)).toBe(1000);
    });
  });

  describe('resolveCommit', () => {
    it('a batch that is not there: shut out under its old epochs, and may go again under the new', async () => {
      const shards = await claim('a', 1, 2);
      const [one, two] = [oneHold(10, 1), oneHold(20, 2)];
      const lost = batchOf(1, shards, [...one.rows(), ...two.rows()]);
      const resolution = await store.resolveCommit(lost);
      expect(resolution).toEqual({
        outcome: 'not-committed',
        shards: [
          { shardId: 1, epoch: 2 },
          { shardId: 2, epoch: 2 },
        ],
      });
      expect(await store.commit(lost)).toBe('fenced');
      const again = { ...lost, shards: resolution.outcome === 'fenced' ? [] : resolution.shards };
      expect(await store.commit(again)).toBe('committed');
      expect([await seqsOf(one), await seqsOf(two)]).toEqual([1, 1]);
    });

    it('a batch that is there: found, and not to be had twice', async () => {
      const shards = await claim('a', 1, 2);
      const [one, two] = [oneHold(10, 1), oneHold(20, 2)];
      const batch = batchOf(3, shards, [...one.newRows(), ...two.newRows()]);
      await store.commit(batch);
      const resolution = await store.resolveCommit(batch);
      const raised = shards.map(({ shardId, epoch }) => ({ shardId, epoch: epoch + 1 }));
      expect(resolution).toEqual({ outcome: 'committed', shards: raised });

      expect(await store.commit({ ...batch, shards: raised })).toBe('fenced');
      one.hold({ seats: [1] });
      expect(await store.commit(batchOf(4, raised.slice(0, 1), one.newRows()))).toBe('committed');
      expect([await seqsOf(one), await seqsOf(two)]).toEqual([2, 1]);
    });

    it.each([1, 2])('fenced when shard %i has another epoch by now, and then raises none', async (taken) => {
      const mine = await claim('a', 1, 2);
      const theirs = await claim('b', taken);
      expect(await store.resolveCommit(batchOf(1, mine, []))).toEqual({ outcome: 'fenced' });
      const journal = oneHold(1, taken);
      expect(await store.commit(batchOf(1, theirs, journal.rows()))).toBe('committed');
      const untouched = mine.filter(({ shardId }) => shardId !== taken);
      expect(await store.resolveCommit(batchOf(1, untouched, []))).toMatchObject({
        outcome: 'not-committed',
      });
    });

    it('fenced when it was settled before', async () => {
      const shards = await claim('a', 1);
      await store.resolveCommit(batchOf(1, shards, []));
      expect(await store.resolveCommit(batchOf(1, shards, []))).toEqual({ outcome: 'fenced' });
      expect(await store.resolveCommit(batchOf(1, stale(shards), []))).toEqual({ outcome: 'fenced' });
    });
  });
}
