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
  setSome(isAsked: (scheduleId: ScheduleId) => boolean, rows: readonly LagRow[]): void {
    this.lag.resetSome(isAsked, rows);
  }
  forget(isGone: (scheduleId: ScheduleId) => boolean): void {
    this.lag.resetSome(isGone, []);
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
  /** The shards that were asked about alone. */
  let askedOf: number[][];
  /** While the database is being asked: commits come in. */
  let meanwhile: (() => void) | undefined;
  let failure: Error | undefined;
  let waits: Promise<void>;

  beforeEach(() => {
    [projector, outbox] = [new FakeFollower(), new FakeFollower()];
    stored = new Map();
    ownedAtStart = [];
    reads = 0;
    askedOf = [];
    meanwhile = undefined;
    failure = undefined;
    waits = Promise.resolve();
    followers = new JournalFollowers({
      projector,
      outbox,
      readOwned: async () => ownedAtStart,
      readBacklog: (isOwned) => {
        reads += 1;
        return answer(isOwned);
      },
      readBacklogOf: (isAsked) => {
        askedOf.push([...stored.keys()].filter(isAsked));
        return answer(isAsked);
      },
      // Schedules 10 to 19 are in shard 1, 20 to 29 in shard 2, and so on.
      shardOf: (scheduleId) => Math.floor(scheduleId / 10) as ShardId,
    });
    const answer = async (isOwned: (shardId: ShardId) => boolean): Promise<JournalBacklog> => {
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
    };
  });

  const shard = (id: number) => id as ShardId;

  function commit(shardId: number, scheduleId: number, ...seqs: number[]): void {
    const rows = {
      count: seqs.length,
      scheduleId: seqs.map(() => scheduleId),
      shardId: seqs.map(() => shardId),
      seq: seqs,
      atMs: [],
      type: [],
      payload: [],
    };
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

  describe('when a few shards arrive', () => {
    beforeEach(async () => {
      stored.set(shard(1), [
        [10, 3, 1, 5],
        [11, 0, 0, 2],
      ]);
      stored.set(shard(2), [[20, 0, 4, 9]]);
      stored.set(shard(3), [[30, 1, 1, 4]]);
      followers.noteOwned([shard(1)]);
      await followers.known();
    });

    it('asks about their schedules alone, and leaves the others as they are', async () => {
      // What the database would say of shard 1 by now is not asked for.
      stored.set(shard(1), [[10, 5, 5, 5]]);
      followers.noteArrived([shard(2)]);
      await followers.known();
      expect(projector.told).toEqual(['10:3-5', '11:0-2', '20:0-9']);
      expect(outbox.told).toEqual(['10:1-5', '11:0-2', '20:4-9']);
      expect([reads, askedOf]).toEqual([1, [[2]]]);
    });

    it('nobody may publish before the database has answered (I7)', async () => {
      followers.noteArrived([shard(2)]);
      commit(2, 20, 10);
      commit(1, 10, 6);
      expect(outbox.told).toEqual(['10:1-6', '11:0-2']);
      let isKnown = false;
      const known = followers.known().then(() => {
        isKnown = true;
      });
      await Promise.resolve();
      expect(isKnown).toBe(false);
      await known;
      expect(outbox.told.at(-1)).toBe('20:4-9');
    });

    it('counts the commits that come while it asks, of what arrived and of the others', async () => {
      stored.get(shard(2))!.push([21, 3, 3, 3]);
      followers.noteArrived([shard(2)]);
      meanwhile = () => {
        commit(2, 20, 10, 11);
        commit(2, 21, 4);
        commit(2, 22, 1, 2);
        commit(1, 10, 6);
        commit(1, 12, 1);
      };
      await followers.known();
      expect(outbox.told.toSorted()).toEqual(['10:1-6', '11:0-2', '12:0-1', '20:4-11', '21:3-4', '22:0-2']);
      expect(outbox.expected).toBe(2);
    });

    it('asks once for all that arrived before it asks, and again for what arrives meanwhile', async () => {
      followers.noteArrived([shard(2)]);
      meanwhile = () => {
        followers.noteArrived([shard(3)]);
        // In the database by the time that it is asked about shard 3.
        commit(3, 30, 5);
        stored.set(shard(3), [[30, 1, 1, 5]]);
      };
      await Promise.all([followers.known(), followers.known()]);
      expect(askedOf).toEqual([[2], [3]]);
      expect(outbox.told.toSorted()).toEqual(['10:1-5', '11:0-2', '20:4-9', '30:1-5']);
    });

    it('a shard that goes while it asks is nobody to follow', async () => {
      followers.noteArrived([shard(2), shard(3)]);
      meanwhile = () => followers.noteNotOwned([shard(2)]);
      await followers.known();
      expect(outbox.told).toEqual(['10:1-5', '11:0-2', '30:1-4']);
      expect(askedOf).toEqual([[2, 3]]);
    });

    it('a shard that goes and comes back while it asks is asked about again: its journal grew elsewhere', async () => {
      followers.noteArrived([shard(2)]);
      meanwhile = () => {
        followers.noteNotOwned([shard(2)]);
        stored.set(shard(2), [[20, 0, 4, 12]]);
        followers.noteArrived([shard(2)]);
        commit(2, 20, 13);
        stored.set(shard(2), [[20, 0, 4, 13]]);
      };
      await followers.known();
      expect(askedOf).toEqual([[2], [2]]);
      expect(outbox.told).toContain('20:4-13');
    });

    it('follows a shard that went no further, at once', async () => {
      followers.noteArrived([shard(2)]);
      await followers.known();
      followers.noteNotOwned([shard(1)]);
      expect([projector.told, outbox.told]).toEqual([['20:0-9'], ['20:4-9']]);
      expect(askedOf.length).toBe(1);
    });

    it('a doubt that comes while it asks makes it ask about everything', async () => {
      followers.noteArrived([shard(2)]);
      meanwhile = () => {
        stored.set(shard(1), [[10, 3, 1, 6]]);
        followers.noteDoubt();
      };
      await followers.known();
      expect([reads, askedOf]).toEqual([2, [[2]]]);
      expect(outbox.told).toEqual(['10:1-6', '20:4-9']);
    });

    it('what arrives while it asks about everything is asked about after that', async () => {
      followers.noteDoubt();
      meanwhile = () => {
        followers.noteArrived([shard(2)]);
        commit(2, 20, 10);
        stored.set(shard(2), [[20, 0, 4, 10]]);
      };
      await followers.known();
      expect([reads, askedOf]).toEqual([2, [[2]]]);
      expect(outbox.told).toEqual(['10:1-5', '11:0-2', '20:4-10']);
    });

    it('a database that does not answer is asked again, and nothing of it is known until then', async () => {
      followers.noteArrived([shard(2)]);
      failure = new Error('away');
      meanwhile = () => commit(2, 20, 10);
      await expect(followers.known()).rejects.toThrow('away');
      commit(2, 20, 11);
      commit(1, 10, 6);
      expect(outbox.told).toEqual(['10:1-6', '11:0-2']);
      failure = undefined;
      stored.set(shard(2), [[20, 0, 4, 11]]);
      await followers.known();
      expect(outbox.told).toEqual(['10:1-6', '11:0-2', '20:4-11']);
    });

    it('many shards at once are asked about with all the others', async () => {
      followers.noteArrived(Array.from({ length: 40 }, (_, i) => shard(i)));
      await followers.known();
      expect([reads, askedOf]).toEqual([2, []]);
      expect(outbox.told).toEqual(['10:1-5', '11:0-2', '20:4-9', '30:1-4']);
    });
  });
});
