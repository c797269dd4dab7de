import { beforeEach, describe, expect, it } from 'vitest';
import type { ScheduleId, ShardId } from '../../../../src/actors/allocator/ids.ts';
import { StoreUnavailable } from '../../../../src/actors/runtime/ports.ts';
import type { BatchColumns, JournalColumns } from '../../../../src/persistence/journal-columns.ts';
import { JournalLag, type LagRow } from '../../../../src/persistence/journal-lag.ts';
import type { JournalBacklog } from '../../../../src/persistence/mysql/journal-backlog.ts';
import { JournalFollowers } from '../../../../src/persistence/mysql/journal-followers.ts';

class FakeFollower {
  expected = 0;
  readonly lag = new JournalLag();

  expectBacklog(): void {
    this.expected += 1;
  }
  setBacklog(rows: readonly LagRow[]): void {
    this.lag.reset(rows);
  }
  noteCommitted(rows: JournalColumns): void {
    this.lag.noteBatch(rows);
  }
  /** `schedule:done-committed` of each that is behind. */
  get told(): string[] {
    return this.lag.schedules().map((id) => {
      const { doneSeq, committedSeq } = this.lag.of(id)!;
      return `${id}:${doneSeq}-${committedSeq}`;
    });
  }
}

describe('JournalFollowers', () => {
  let followers: JournalFollowers;
  let projector: FakeFollower;
  let outbox: FakeFollower;
  /** Rows of the database, by shard: schedule, projected, published, last. */
  let stored: Map<ShardId, [schedule: number, projected: number, published: number, last: number][]>;
  let ownedAtStart: ShardId[];
  let reads: number;
  /** While the database is being asked: commits come in. */
  let meanwhile: (() => void) | undefined;
  let failure: Error | undefined;
  let waits: Promise<void>;

  beforeEach(() => {
    [projector, outbox] = [new FakeFollower(), new FakeFollower()];
    stored = new Map();
    ownedAtStart = [];
    reads = 0;
    meanwhile = undefined;
    failure = undefined;
    waits = Promise.resolve();
    followers = new JournalFollowers({
      projector,
      outbox,
      readOwned: async () => ownedAtStart,
      readBacklog: async (isOwned): Promise<JournalBacklog> => {
        reads += 1;
        const rows = [...stored].flatMap(([shardId, each]) => (isOwned(shardId) ? each : []));
        const backlog = (done: 1 | 2) =>
          rows
            .filter((row) => row[3] > row[done])
            .map((row): LagRow => [row[0] as ScheduleId, row[done], row[3]]);
        const [unprojected, unpublished] = [backlog(1), backlog(2)];
        await waits;
        meanwhile?.();
        meanwhile = undefined;
        if (failure !== undefined) throw failure;
        return { unprojected, unpublished };
      },
    });
  });

  const shard = (id: number) => id as ShardId;

  function commit(shardId: number, scheduleId: number, ...seqs: number[]): void {
    const rows = { count: seqs.length, scheduleId: seqs.map(() => scheduleId), seq: seqs };
    const shards = [{ shardId: shard(shardId), epoch: 1 }];
    followers.noteCommitted({ batchNumber: 1, shards, rows } as unknown as BatchColumns);
  }

  it('asks the database when shards come, and is told by commits from then on', async () => {
    stored.set(shard(1), [[10, 3, 1, 5]]);
    stored.set(shard(2), [[20, 0, 0, 9]]);
    followers.noteOwned([shard(1)]);
    await followers.known();
    expect([projector.told, outbox.told]).toEqual([['10:3-5'], ['10:1-5']]);
    commit(1, 10, 6);
    commit(1, 11, 1);
    expect(projector.told).toEqual(['10:3-6', '11:0-1']);
    await followers.known();
    expect(reads).toBe(1);
  });

  it('asks anew when more shards come, and no more for those that went', async () => {
    stored.set(shard(1), [[10, 3, 3, 5]]);
    stored.set(shard(2), [[20, 0, 0, 9]]);
    followers.noteOwned([shard(1)]);
    await followers.known();
    followers.noteNotOwned([shard(1)]);
    followers.noteOwned([shard(2)]);
    await followers.known();
    expect(projector.told).toEqual(['20:0-9']);
  });

  it('asks once for all who wait', async () => {
    followers.noteOwned([shard(1)]);
    await Promise.all([followers.known(), followers.known(), followers.known()]);
    expect(reads).toBe(1);
  });

  it('counts the commits that come while it asks', async () => {
    stored.set(shard(1), [
      [10, 3, 3, 5],
      [11, 4, 4, 4],
    ]);
    followers.noteOwned([shard(1)]);
    meanwhile = () => {
      commit(1, 10, 6, 7);
      commit(1, 11, 5);
      commit(1, 12, 1, 2);
    };
    await followers.known();
    expect(projector.told).toEqual(['10:3-7', '11:4-5', '12:0-2']);
    expect(outbox.told).toEqual(projector.told);
  });

  it('asks again when a doubt comes while it asks', async () => {
    stored.set(shard(1), [[10, 3, 3, 5]]);
    followers.noteOwned([shard(1)]);
    meanwhile = () => {
      // A commit of unknown outcome was found: its rows are in the database, and nobody noted them.
      stored.set(shard(1), [[10, 3, 3, 6]]);
      followers.noteDoubt();
      commit(1, 10, 7);
    };
    await followers.known();
    expect([reads, outbox.expected]).toEqual([2, 2]);
    expect(outbox.told).toEqual(['10:3-6']);
    // What was committed before the second answer is in the database by then.
    stored.set(shard(1), [[10, 3, 3, 7]]);
    followers.noteDoubt();
    await followers.known();
    expect(outbox.told).toEqual(['10:3-7']);
  });

  it('a worker that follows a lost one asks whose shards are its', async () => {
    ownedAtStart = [shard(1)];
    stored.set(shard(1), [[10, 3, 1, 5]]);
    stored.set(shard(2), [[20, 0, 0, 9]]);
    await followers.known();
    expect(outbox.told).toEqual(['10:1-5']);
  });

  it('never begins with what was committed last, leaving out what came before (I7)', async () => {
    stored.set(shard(1), [[10, 3, 1, 5]]);
    commit(1, 10, 6);
    // Not before the database was asked.
    expect([projector.told, outbox.told]).toEqual([[], []]);
    stored.set(shard(1), [[10, 3, 1, 6]]);
    await followers.known();
    expect(outbox.told).toEqual(['10:1-6']);
    // Of a shard that it was not told of.
    stored.set(shard(2), [[20, 7, 7, 9]]);
    commit(2, 20, 10);
    expect(outbox.told).toEqual(['10:1-6']);
    stored.set(shard(2), [[20, 7, 7, 10]]);
    await followers.known();
    expect(outbox.told).toEqual(['10:1-6', '20:7-10']);
  });

  it('a database that does not answer is asked again by the next who wants to know', async () => {
    stored.set(shard(1), [[10, 3, 1, 5]]);
    followers.noteOwned([shard(1)]);
    failure = new Error('away');
    await expect(followers.known()).rejects.toThrow('away');
    commit(1, 10, 6);
    failure = undefined;
    stored.set(shard(1), [[10, 3, 1, 6]]);
    await followers.known();
    expect(projector.told).toEqual(['10:3-6']);
    expect(reads).toBe(2);
  });

  it('keeps a caller no longer than it can wait, and goes on asking', async () => {
    stored.set(shard(1), [[10, 3, 1, 5]]);
    followers.noteOwned([shard(1)]);
    const { promise, resolve } = Promise.withResolvers<void>();
    waits = promise;
    await expect(followers.knownWithin(10)).rejects.toThrow(StoreUnavailable);
    resolve();
    await followers.knownWithin(1_000);
    expect(outbox.told).toEqual(['10:1-5']);
    expect(reads).toBe(1);
  });
});
